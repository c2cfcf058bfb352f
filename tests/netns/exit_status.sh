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
ends 2 "refused" "refused by the server: unauthorized: the token is wrong"

begun=$SECONDS
try_client client "server: $web_address:443" 'timeout: 1s'
ends 3 "nobody is there" "no answer from $web_address:443: is the server running, and is this UDP port open"
check "after the timeout" -- test $((SECONDS - begun)) -le 3
try_client client 'server: nowhere.test'
ends 3 "no such name" "resolve nowhere.test: "
try_client client 'server: 203.0.113.2:444' 'timeout: 1s'
ends 3 "another port" "no answer from 203.0.113.2:444"

start_client
stop "$server_pid"
ended "$client_pid"
output=$(cat "$work/client.log")
ends 3 "lost" "the connection was lost: the server stops"
