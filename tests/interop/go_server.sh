#!/usr/bin/env bash
# Our client at a server of another make: packets of every size, files both ways, whole from us and
# in fragments from it.
. "$(dirname "$0")/go_peer.sh"

topology
remember client
start_go_server
start_client
check_equal "it gets a lease" "$(lease client)" 10.8.0.2

check_pings client 10.8.0.1 "$web_address"
check_files 10.8.0.2

stop "$client_pid"
check_equal "our client stops" "$status" 0
check_unchanged "it puts all back" client
check "the server sees it" -- wait_for 5 grep -q 'session with 10.8.0.2 ended' "$work/go.log"
check_go_dropped_nothing
check "its full packets come as two fragments each" -- test "$(count sent_fragments)" -gt 10000
check_equal "ours went whole, longer than its own may be" \
  "$(count largest_datagram_received)" $((1350 + 38))
check_equal "what it did not offer, it did not get: no Ping" "$(count received_pings)" 0

start_client
stop "$go_pid"
ended "$client_pid"
check_equal "when the server stops, our client ends with status 3" "$status" 3
check_contains "and says why" "$(cat "$work/client.log")" 'qdt-client: the connection was lost:'
check_unchanged "it puts all back" client
