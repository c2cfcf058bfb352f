#!/usr/bin/env bash
# A fifth of all packets comes 300 ms late, another fifth comes twice: nothing is lost, nothing comes
# twice, and a transfer goes through.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology
bad_path --delay 20ms --reorder 0.2 --reorder-delay 300ms --duplicate 0.2
start_server
mkdir "$work/files"
head -c 300000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
for plane in auto quic; do
  start_client client 'route_mode: default' "data_plane: $plane"
  try client ping -n -q -c 30 -i 0.05 -W 3 "$web_address"
  check_contains "$plane: no ping is lost" "$output" " 0% packet loss"
  check_lacks "$plane: and none comes twice" "$output" "duplicates"
  try client curl -sS --fail --max-time 20 -o "$work/copy" "http://$web_address:8000/file"
  check_equal "$plane: a transfer goes through" "$status" 0
  check "$plane: byte for byte" -- cmp "$work/files/file" "$work/copy"
  check_lacks "$plane: the session is not given up" "$(cat "$work/client.log")" "the connection was lost"
  stop "$client_pid"
done
