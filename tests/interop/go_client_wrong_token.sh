#!/usr/bin/env bash
# Our server refuses another implementation's client that has a wrong token, in words that it can read.
. "$(dirname "$0")/go_peer.sh"

topology
start_server 'decoy: off'
run_go_client -token wrong
ended "$go_pid"
check_equal "the client is refused" "$status" 2
check_contains "it reads status and text" "$(cat "$work/go.log")" 'refused: 401 unauthorized'
check_equal "it is counted" "$(metric 'qdt_handshakes_total{result="unauthorized"}')" 1
check_equal "there is no session" "$(metric qdt_sessions_active)" 0
