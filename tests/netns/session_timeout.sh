#!/usr/bin/env bash
# A session that carries no packet for session_timeout ends, and its address is free; one that does
# stays.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'session_timeout: 3s' 'pool_cidr: 10.8.0.0/29'
start_client client 'route_mode: none'
idle_pid=$client_pid
begun=$SECONDS
start_client client2 'route_mode: cidr'
ping_steadily client2 10.8.0.1

wait_for 20 is_gone "$idle_pid" || fail "the idle session does not end"
check "not before its time" -- test $((SECONDS - begun)) -ge 3
ended "$idle_pid"
check_equal "the idle client ends with status 3" "$status" 3
check_contains "it says why" "$(cat "$work/client.log")" \
  "qdt-client: the connection was lost: no packet for the server's session_timeout"
check_contains "so does the server" "$(cat "$work/server.log")" \
  "with $(lease client) ended: no packet for session_timeout"
check_equal "one session is left" "$(metric qdt_sessions_active)" 1
check_steady "the busy client stays"
