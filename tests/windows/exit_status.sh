#!/usr/bin/env bash
# How qdt-client.exe ends, and what it says then.
. "$(dirname "$0")/topology.sh"

topology
prepare_windows
start_server
start_peer

ends() {  # STATUS WORDS PART
  check_equal "$1: $2" "$status" "$1"
  check_contains "it says so" "$output" "qdt-client: $3"
}

try_windows_client 'token: some-other-token-0123456789'
ends 2 "refused" "refused by the server: not admitted: the token is wrong, or this is no QDT server"

try_windows_client "server: $web_address:443" 'timeout: 1s'
ends 3 "nobody is there" "no answer from $web_address:443"
try_windows_client 'server: nowhere.test' 'timeout: 3s'
ends 3 "no such name" "resolve nowhere.test: "

try_windows_client 'route_mode: everything'
ends 1 "configuration" "$(windows_path "$work/client.yaml"):1:13: route_mode: found \"everything\""
try_windows --config "$(windows_path "$work/missing.yaml")"
ends 1 "no configuration" "read $(windows_path "$work/missing.yaml"): "

try_windows --status
check_equal "--status of none: 4" "$status" 4
check_contains "it says so" "$output" "no qdt-client runs on this host"
try_windows --version
check_equal "--version: 0" "$status" 0
check_contains "it says which" "$output" "qdt-client 0."
try_windows --nonsense
check_equal "1: an unknown option" "$status" 1
