#!/usr/bin/env bash
# The server goes and comes back: the client finds it again, its adapter and address stay; and what its
# status says meanwhile.
. "$(dirname "$0")/topology.sh"

topology
prepare_windows
start_server
start_peer
start_windows_client
lease=$(lease client)
check "the tunnel works" -- on client ping -c 2 -W 2 10.8.0.1
try_windows --status
check_equal "--status of a connected client: 0" "$status" 0
check_contains "it says so" "$output" "qdt0: connected for"

take_lease
stop "$server_pid"
wait_for 20 grep -q 'reconnecting: the connection was lost: the server is shutting down' "$work/client.log" ||
  fail "the client does not say that it was lost"
try_windows --status
check_equal "--status of one that is not connected now: 3" "$status" 3

start_server
connected_twice() { [ "$(grep -c 'connected: this host is' "$work/client.log")" -ge 2 ]; }
wait_for 40 connected_twice || fail "the client does not connect again"
check_equal "it has the same address" "$(lease client)" "$lease"
give_lease
check "the tunnel works again" -- on client ping -c 2 -W 2 10.8.0.1

# A server that is killed says nothing.
take_lease
stop "$server_pid" KILL
start_server
connected_thrice() { [ "$(grep -c 'connected: this host is' "$work/client.log")" -ge 3 ]; }
wait_for 60 connected_thrice || fail "the client does not find out that the server was killed"
give_lease
check "the tunnel works once more" -- on client ping -c 2 -W 2 10.8.0.1
