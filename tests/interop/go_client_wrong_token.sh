#!/usr/bin/env bash
# Our server refuses another implementation's client that has a wrong token: with decoy: off in words
# that it can read; else it sees a web page, which is no answer of the protocol's, and ends.
. "$(dirname "$0")/go_peer.sh"

topology
start_server 'decoy: off'
run_go_client -token wrong
ended "$go_pid"
check_equal "the client is refused" "$status" 2
check_contains "it reads status and text" "$(cat "$work/go.log")" 'refused: 401 unauthorized'
check_equal "it is counted" "$(metric 'qdt_handshakes_total{result="unauthorized"}')" 1
check_equal "there is no session" "$(metric qdt_sessions_active)" 0
stop "$server_pid"

start_server
run_go_client -token wrong
ended "$go_pid"
check "with a decoy it fails as well" -- test "$status" -ne 0
check_equal "that is counted, too" "$(metric 'qdt_handshakes_total{result="unauthorized"}')" 1
run_go_client
check "with the token it is let in" -- wait_for 10 grep -q '^connected: ' "$work/go.log"
