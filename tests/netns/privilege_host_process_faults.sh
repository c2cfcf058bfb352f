#!/usr/bin/env bash
# The two processes of a program and the order in which they can end: a main process that is killed while
# the other one stands still, a start or --cleanup in the moment after kill -9, an end while the host process
# stands still, a host process that is killed under a kill switch.
. "$(dirname "$0")/topology.sh"

topology
remember client
remember server

say "--- starts right after kill -9"
for _ in 1 2 3; do
  start_server
  start_client client 'route_mode: default' "$public_lan"
  kill -KILL "$server_pid" "$client_pid"
  wait "$server_pid" "$client_pid" 2>/dev/null || true
done
start_server
start_client client 'route_mode: default' "$public_lan"
check "work" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
kill -KILL "$client_pid"
wait "$client_pid" 2>/dev/null || true
try client "$build/qdt-client" --cleanup
check_equal "--cleanup in that moment succeeds" "$status" 0
check_unchanged "and waits for the host to be put back" client
try client "$build/qdt-client" --status
check_contains "nobody is sent to --cleanup after it" "$output" "no qdt-client runs"

say "--- killed while the host process stands still"
start_client client 'route_mode: default' "$public_lan"
host=$(host_process "$client_pid")
kill -STOP "$host"
stop "$client_pid" KILL
check_contains "nothing is put back meanwhile" "$(on client ip rule)" 5325908
run_client client 'route_mode: default' "$public_lan"
sleep 0.3
kill -CONT "$host"
check "then it is" -- wait_for 5 is_gone "$host"
is_connected() { grep -q 'connected: this host is' "$work/client.log"; }
check "and a start that has waited for it works" -- wait_for 10 is_connected
stop "$client_pid"
check_unchanged "and the host is as it was" client

say "--- told to stop while the host process stands still"
start_client client 'route_mode: default' "$public_lan"
host=$(host_process "$client_pid")
kill -STOP "$host"
degraded() { { on client "$build/qdt-client" --status || true; } | grep -q degraded; }
wait_for 15 degraded || fail "the client is not degraded"
kill -TERM "$client_pid"
ended "$client_pid" 15
check_equal "the client ends with an error" "$status" 1
check_contains "and says why" "$(cat "$work/client.log")" 'puts the host back once it goes on'
kill -CONT "$host"
check "it puts the host back then" -- wait_for 5 is_gone "$host"
check_unchanged "and the host is as it was" client

say "--- the host process is killed under a kill switch"
start_client client 'kill_switch: true' "$public_lan"
kill -KILL "$(host_process "$client_pid")"
ended "$client_pid"
check_equal "the client ends, and another start helps" "$status" 4
check_contains "the kill switch stays" "$(on client nft list tables)" kill
start_client client 'kill_switch: true' "$public_lan"
check_contains "the next start takes it over" "$(cat "$work/client.log")" "as it was left"
stop "$client_pid"
check_equal "its end is orderly" "$status" 0
check_unchanged "and lets go of it" client
stop "$server_pid"
check_unchanged "the server's host is as it was, too" server
