#!/usr/bin/env bash
# The round trip jumps from 50 ms to 2.8 s and back, on either plane: nothing is lost on the way, so
# the session stays, whatever the client tries meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology
bad_path --delay 25ms
start_server
know_neighbours
for plane in auto quic; do
  start_client client 'route_mode: cidr' "data_plane: $plane"
  run client ping ping -D -n -i 0.2 10.8.0.1
  ping_pid=$pid
  sleep 1
  change_path "--delay 1400ms"
  sleep 6
  change_path "--delay 25ms"
  sleep 2
  stop "$ping_pid" INT
  lost=$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' "$work/ping.log")
  rm "$work/ping.log"
  check_equal "$plane: the session is the same" "$(grep -c 'connected: this host' "$work/client.log")" 1
  check_lacks "$plane: it is not given up" "$(cat "$work/client.log")" "the connection was lost"
  check "$plane: $lost % of the pings are lost" -- test "${lost%%.*}" -le 5
  stop "$client_pid"
done
