#!/usr/bin/env bash
# After kill -9 of the server, its host is put back at once, but for its address translation, which the
# next start takes over. After a kill -9 of both its processes nothing is put back: the next start works
# and leaves nothing behind at its end; --cleanup does the same without a start. A client whose server is
# gone goes on trying.
. "$(dirname "$0")/topology.sh"

topology 2
remember server
remember client2

crash_server() {
  crash "$server_pid"
  check_contains "a crash leaves its firewall table behind" "$(on server nft list tables)" qdt
  check_equal "and forwarding" "$(on server sysctl -n net.ipv4.ip_forward)" 1
}
tables() { on server nft list tables; }
journal() { compgen -G "/run/qdt/qdt0.$(stat -Lc %i "/run/netns/$(ns server)").undo"; }

start_server
host=$(host_process "$server_pid")
stop "$server_pid" KILL
wait_for 5 is_gone "$host" || fail "the host process stays"
check_equal "after kill -9 forwarding is put back" "$(on server sysctl -n net.ipv4.ip_forward)" 0
check_equal "nothing but its address translation stays" "$(tables)" 'table inet qdt_qdt0'
check "as is written down" -- journal
try server "$build/qdt-server" --cleanup
check_contains "--cleanup says that it goes" "$output" 'table inet qdt_qdt0'
check_unchanged "and leaves the host as it was" server

start_server
start_client client2 'route_mode: default'
lost_pid=$client_pid
stop "$server_pid" KILL
start_server
say "ok: a start right after kill -9 waits for the host to be put back, and works"
crash_server

start_server
start_client client
check "the next start works" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
stop "$client_pid"
stop "$server_pid"
check_equal "its end is orderly" "$status" 0
check_unchanged "and leaves the host as it was before the crash" server

start_server
crash_server
try server "$build/qdt-server" --cleanup
check_equal "--cleanup succeeds" "$status" 0
check_contains "it says what it undid" "$output" ip_forward
check_unchanged "and leaves the host as it was" server

# Its first server crashed long ago, and others came and went.
stop "$lost_pid"
check_equal "the client whose server is gone is stopped like any other" "$status" 0
check_unchanged "and leaves its host as it was" client2
