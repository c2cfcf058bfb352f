#!/usr/bin/env bash
# Our client at another implementation's server: packets of every size, files both ways, whole from us and
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
check "ours went whole, longer than its own may be" -- \
  test "$(count largest_datagram_received)" -ge $((1350 + 38))  # a Ping that probes the path is longer

start_client
stop "$go_pid"
check "when the server is shutting down, our client notices and says why" -- \
  wait_for 10 grep -q 'reconnecting: the connection was lost: the server is shutting down' "$work/client.log"
connections=$(grep -c 'connected: this host is' "$work/client.log")
start_go_server
is_connected_again() { [ "$(grep -c 'connected: this host is' "$work/client.log")" -gt "$connections" ]; }
check "and is there again when the server is" -- wait_for 45 is_connected_again
stop "$client_pid"
check_equal "our client stops" "$status" 0
check_unchanged "it puts all back" client
