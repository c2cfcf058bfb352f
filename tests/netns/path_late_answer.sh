#!/usr/bin/env bash
# The path holds everything back for longer than the client's patience, so that it goes on from
# another port; the answers come to the old one, late, and count.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology
bad_path --delay 20ms
start_server
know_neighbours
start_client client 'route_mode: cidr'
change_path "--delay 1600ms"
try client ping -n -q -c 1 -W 8 10.8.0.1
check_contains "a ping is answered" "$output" " 0% packet loss"
check "the client tried another port" -- wait_for 3 grep -q "nobody answers: the session goes on" "$work/client.log"
try client ping -n -q -c 5 -i 0.5 -W 8 10.8.0.1
check_contains "no other is lost" "$output" " 0% packet loss"
check_lacks "the session is not given up" "$(cat "$work/client.log")" "the connection was lost"
