#!/usr/bin/env bash
# The session of another implementation's client ends when our server stops or has enough of it; then the
# client may come back.
. "$(dirname "$0")/go_peer.sh"

topology
start_server
start_go_client
stop "$server_pid"
check_equal "our server stops" "$status" 0
ended "$go_pid"
check_equal "the client sees it" "$status" 3
check_contains "and tells" "$(cat "$work/go.log")" 'the session ended:'

start_server 'session_timeout: 10s'
start_go_client
check "a session that carries nothing ends" -- wait_for 20 is_gone "$go_pid"
check_contains "by session_timeout" "$(cat "$work/server.log")" 'no packet for session_timeout'
ended "$go_pid"
check_equal "the client sees it" "$status" 3

start_go_client
check_pings client 10.8.0.1
stop "$go_pid"
check "its session ends with it" -- wait_for 5 sessions_are 0
