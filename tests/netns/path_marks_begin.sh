#!/usr/bin/env bash
# A path begins to set both ECN bits of every packet while a session is on: after some round trips
# such marks are disregarded; until then only few packets are dropped for them.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"
. "$here/marks.sh"

marked_path
for plane in auto quic; do
  rewrite
  start_client client 'route_mode: default' "data_plane: $plane"
  fetch client "http://$web_address:8000/file" -o "$work/copy" || fail "$plane: no download"
  rewrite "ip ecn set ce"
  try client ping -n -q -c 60 -i 0.05 -W 2 "$web_address"
  lost=$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' <<<"$output")
  check "$plane: $lost % of the pings are lost" -- test "${lost%%.*}" -le 5
  fetch client "http://$web_address:8000/file" -o "$work/copy" || fail "$plane: no download any more"
  stop "$client_pid"
done
