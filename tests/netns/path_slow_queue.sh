#!/usr/bin/env bash
# 64 kbit/s with two seconds of queue before it, filled by a download and an upload: the session
# stays, and both arrive.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology
bad_path --rate 64k --queue 2s --delay 30ms
start_server
mkdir "$work/files"
head -c 50000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
know_neighbours
for plane in auto quic; do
  start_client client 'route_mode: default' "data_plane: $plane"
  try client curl -sS --fail --max-time 20 -o "$work/copy" "http://$web_address:8000/file"
  check_equal "$plane: a download goes through" "$status" 0
  check "$plane: byte for byte" -- cmp "$work/files/file" "$work/copy"
  check_lacks "$plane: the session is not given up" "$(cat "$work/client.log")" "the connection was lost"
  check_lacks "$plane: and looks for no other port" "$(cat "$work/client.log")" "nobody answers"
  stop "$client_pid"
done
