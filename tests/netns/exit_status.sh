#!/usr/bin/env bash
# The client's exit status says what happened, and one line says it in words.
. "$(dirname "$0")/topology.sh"

topology
start_server

start_client
stop "$client_pid"
check_equal "0: stopped by a signal" "$status" 0

ends() {  # STATUS WORDS PART
  check_equal "$1: $2" "$status" "$1"
  check_contains "it says so" "$output" "qdt-client: $3"
}

try_client client 'route_mode: everything'
ends 1 "configuration" "$work/client.yaml:1:13: route_mode: found \"everything\", expected default, cidr or none"
try client "$build/qdt-client" --config "$work/missing.yaml"
ends 1 "no configuration" "read $work/missing.yaml: No such file or directory"
try_client client 'token: some-other-token-0123456789'
ends 2 "refused" "refused by the server: not admitted: the token is wrong, or this is no QDT server"

begun=$SECONDS
try_client client "server: $web_address:443" 'timeout: 1s'
ends 3 "nobody is there" "no answer from $web_address:443: is the server running, and is this UDP port open"
check "after the timeout" -- test $((SECONDS - begun)) -le 3
try_client client 'server: nowhere.test'
ends 3 "no such name" "resolve nowhere.test: "
try_client client 'server: 203.0.113.2:444' 'timeout: 1s'
ends 3 "another port" "no answer from 203.0.113.2:444"

# --status says it while the client runs: 0 connected, 3 not now, 4 there is none.
status_of() { try client "$build/qdt-client" --status "$@"; }
start_client
status_of
check_equal "--status of a connected client: 0" "$status" 0
check_contains "it says so" "$output" "qdt0: connected for"
check_contains "and where" "$output" "addresses  $(lease client), MTU 1438"
status_of --json
check_contains "and all of it as JSON" "$output" '"state":"connected","reason":""'

stop "$server_pid"
wait_for 5 grep -q 'reconnecting: the connection was lost: the server is shutting down' "$work/client.log" ||
  fail "the client does not say that it was lost"
status_of
check_equal "--status of one that is not connected now: 3" "$status" 3
check_contains "it says why" "$output" "qdt0: reconnecting for"
check "the client goes on" -- kill -0 "$client_pid"

write_server_config 'token: some-other-token-0123456789'
run server server "${server_command[@]}" --config "$work/server.yaml"
server_pid=$pid
is_refused() { status_of; [ "$status" -eq 2 ]; }
wait_for 15 is_refused || fail "it does not say that it is refused"
check_contains "--status of one that is refused: 2, and why" "$output" \
  ": not admitted: the token is wrong, or this is no QDT server"

client_host=$(host_process "$client_pid")
stop "$client_pid" KILL
wait_for 5 is_gone "$client_host"
status_of
check_equal "--status of one that was killed, and whose host was put back: 4" "$status" 4
check_contains "it says so" "$output" "no qdt-client runs"
stop "$server_pid"
start_server
start_client
kill -KILL "$(host_process "$client_pid")" "$client_pid"
ended "$client_pid"
status_of
check_equal "--status of one that was killed with its host process: 4" "$status" 4
check_contains "it says so" "$output" "qdt0: the client has crashed"
start_client
stop "$client_pid"
status_of
check_equal "--status of none: 4" "$status" 4
check_contains "it says so" "$output" "no qdt-client runs"
