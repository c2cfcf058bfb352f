#!/usr/bin/env bash
# After kill -9 of the server, its next start works and leaves nothing behind at its end; --cleanup
# does the same without a start. A client whose server is gone goes on trying.
. "$(dirname "$0")/topology.sh"

topology 2
remember server
remember client2

crash() {
  stop "$server_pid" KILL
  check_contains "a crash leaves its firewall table behind" "$(on server nft list tables)" qdt
  check_equal "and forwarding" "$(on server sysctl -n net.ipv4.ip_forward)" 1
}

start_server
start_client client2 'route_mode: default'
lost_pid=$client_pid
crash

start_server
start_client client
check "the next start works" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
stop "$client_pid"
stop "$server_pid"
check_equal "its end is orderly" "$status" 0
check_unchanged "and leaves the host as it was before the crash" server

start_server
crash
try server "$build/qdt-server" --cleanup
check_equal "--cleanup succeeds" "$status" 0
check_contains "it says what it undid" "$output" ip_forward
check_unchanged "and leaves the host as it was" server

# Its first server crashed long ago, and others came and went.
stop "$lost_pid"
check_equal "the client whose server is gone is stopped like any other" "$status" 0
check_unchanged "and leaves its host as it was" client2
