#!/usr/bin/env bash
# Handshakes are limited for each address and for all together. Answers to wrong tokens wait, and
# take nothing from those who have the right one.
. "$(dirname "$0")/topology.sh"

topology 2
status_of() { probe "$@" | sed -n '1s/ .*//p'; }
answers() {  # HOST COUNT PROBE-ARGUMENTS...: the statuses of so many handshakes
  for _ in $(seq "$2"); do status_of "$1" "${@:3}"; done | tr '\n' ' '
}

start_server 'handshake_ip_rate: {pps: 0.01, burst: 3}'
check_equal "an address has its burst, and no more" "$(answers client 4)" "200 200 200 429 "
check_equal "another address has its own" "$(answers client2 4)" "200 200 200 429 "
check_equal "it is counted: rate limited" "$(metric 'qdt_handshakes_total{result="rate_limited"}')" 2
run_client client
check "a client is told" -- wait_for 10 \
  grep -q 'refused: rate limited: too many attempts; trying again' "$work/client.log"
stop "$client_pid"
check_equal "and waits" "$status" 0
stop "$server_pid"

start_server 'handshake_ip_rate: {pps: 0.01, burst: 3}' 'decoy: off'
check_equal "guesses are answered" "$(answers client 3 --token guess)" "401 401 401 "
begin=$EPOCHREALTIME
check_equal "beyond the burst as well" "$(answers client 1 --token guess)" "401 "
waited=$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
[ "$waited" -ge 4000 ] || fail "the answer to a guess beyond the burst came after $waited ms"
say "ok: but the answer waits ($waited ms)"
check_equal "who has the token has a burst all the same" "$(answers client 4)" "200 200 200 429 "
check_equal "it is counted: rate limited" "$(metric 'qdt_handshakes_total{result="rate_limited"}')" 1
check_equal "it is counted: unauthorized" "$(metric 'qdt_handshakes_total{result="unauthorized"}')" 4
stop "$server_pid"

start_server 'handshake_rate: {pps: 0.01, burst: 3}' 'handshake_ip_rate: {pps: 0}' 'decoy: off'
check_equal "guesses are not taken from everybody's share" \
  "$(answers client 4 --token guess)" "401 401 401 401 "
check_equal "all addresses together have their burst" "$(answers client 2)" "200 200 "
check_equal "and no more" "$(answers client2 2)" "200 429 "
check_equal "whoever asks" "$(answers client 1)" "429 "
stop "$server_pid"

start_server 'handshake_ip_rate: {pps: 0.5, burst: 1}'
check_equal "an address that has used up its burst" "$(answers client 2)" "200 429 "
may_enter() { [ "$(status_of client)" = 200 ]; }
check "gets its next turn by and by" -- wait_for 10 may_enter
stop "$server_pid"

start_server 'handshake_ip_rate: {pps: 0.001, burst: 1, ttl: 2s}'
check_equal "an address that would have to wait for long" "$(answers client 2)" "200 429 "
sleep 2.5  # a denied attempt would count as use: nothing to poll
check_equal "is forgotten after the ttl" "$(answers client 1)" "200 "
