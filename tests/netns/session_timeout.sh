#!/usr/bin/env bash
# A session that carries no packet for session_timeout ends, and its client makes another; one that
# carries some stays.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'session_timeout: 3s' 'pool_cidr: 10.8.0.0/29'
begun=$SECONDS
start_client client 'route_mode: none'
idle_pid=$client_pid
start_client client2 'route_mode: cidr'
ping_steadily client2 10.8.0.1

lost='reconnecting: the connection was lost: no packet for the server'"'"'s session_timeout'
wait_for 20 grep -q "$lost" "$work/client.log" || fail "the idle session does not end"
check "not before its time" -- test $((SECONDS - begun)) -ge 3
check_contains "the server says why" "$(cat "$work/server.log")" \
  "with $(lease client) ended: no packet for session_timeout"
is_back() { [ "$(grep -c 'connected: this host is' "$work/client.log")" -ge 2 ]; }
check "the idle client gets another session" -- wait_for 10 is_back
stop "$idle_pid"
sessions_are() { [ "$(metric qdt_sessions_active)" -eq "$1" ]; }
check "one session is left" -- wait_for 2 sessions_are 1
check_steady "the busy client stays"
