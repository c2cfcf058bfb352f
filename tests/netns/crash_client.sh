#!/usr/bin/env bash
# After kill -9 of the client its host is put back at once. After a kill -9 of both its processes the
# next start works and leaves nothing behind at its end; --cleanup does the same without a start. Both leave
# alone what a living client owns.
. "$(dirname "$0")/topology.sh"

topology
remember client
start_server

start_client client 'route_mode: default'
host=$(host_process "$client_pid")
stop "$client_pid" KILL
wait_for 5 is_gone "$host" || fail "the host process stays"
check_unchanged "after kill -9 the host is as it was" client
check_contains "as is told" "$(cat "$work/client.log")" 'gone without an end'
try client "$build/qdt-client" --cleanup
check_equal "--cleanup has nothing to do" "$output" "nothing was left behind"

crash_client() {
  start_client client 'route_mode: default'
  crash "$client_pid"
  check_lacks "a crash leaves name servers behind" "$(cat "$(etc client resolv.conf)")" 127.0.0.53
  check_contains "and rules" "$(on client ip rule)" lookup
}

crash_client
start_client client 'route_mode: default'
check "the next start works" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
stop "$client_pid"
check_equal "its end is orderly" "$status" 0
check_unchanged "and leaves the host as it was before the crash" client

crash_client
start_client client 'route_mode: none' 'tun_name: other0'
stop "$client_pid"
check_unchanged "so does one with another TUN device" client

crash_client
try client "$build/qdt-client" --cleanup
check_equal "--cleanup succeeds" "$status" 0
check_contains "it says what it undid" "$output" resolv.conf
check_unchanged "and leaves the host as it was" client
try client "$build/qdt-client" --status
check_contains "nobody is sent to --cleanup after it" "$output" "no qdt-client runs"
try client "$build/qdt-client" --cleanup
check_equal "a second time it succeeds" "$status" 0
check_equal "and has nothing to do" "$output" "nothing was left behind"

start_client client 'route_mode: default'
try client "$build/qdt-client" --cleanup
check "--cleanup does no harm to a living client" -- \
  on client ping -c 3 -i 0.2 -W 2 "$web_address"
stop "$client_pid"
check_unchanged "whose end leaves the host as it was" client
