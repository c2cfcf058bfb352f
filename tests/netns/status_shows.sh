#!/usr/bin/env bash
# status shows what the tunnel has carried, name servers, kill switch and cipher, as text and JSON.
. "$(dirname "$0")/topology.sh"

topology
start_server 'dns: [10.8.0.1, 192.0.2.53]'
start_client client 'route_mode: default' 'kill_switch: true'
json() { on client "$build/qdt-client" status --json; }
has() { json | jq -e "$1"; }

on client ping -c 20 -i 0.02 -s 972 -q 10.8.0.1 >/dev/null
check "packets and bytes each way" -- wait_for 5 has \
  '.packets_sent >= 20 and .packets_received >= 20 and .bytes_sent >= 20000 and .bytes_received >= 20000 and .bytes_sent < 100000'
check "the name servers in force" -- has '.name_servers == ["10.8.0.1", "192.0.2.53"]'
check "the kill switch" -- has '.kill_switch == true'
check "the cipher" -- has '.cipher | test("^(AES-256-GCM|ChaCha20-Poly1305)$")'
check "when the server was heard" -- has '.heard_seconds >= 0 and .written_seconds <= 3'
text=$(on client "$build/qdt-client" status)
check_contains "the text has totals" "$text" "packets sent, "
check_contains "name servers" "$text" "DNS        10.8.0.1, 192.0.2.53"
check_contains "cipher and kill switch" "$text" "security   $(json | jq -r .cipher), kill switch"
check_contains "and when the server was heard" "$text" "heard      "

# A process that does not get to run answers nothing.
kill -STOP "$client_pid"
try client "$build/qdt-client" status
check_equal "one that was stopped has no status" "$status" 1
check_contains "and that is said" "$output" "no answer; it may be stopped, or be busy"
kill -CONT "$client_pid"
check "once it goes on it has" -- wait_for 5 has '.state == "connected"'
stop "$client_pid"

start_client client 'route_mode: cidr'
check "without a kill switch it says so" -- has '.kill_switch == false'
check_contains "in words, too" "$(on client "$build/qdt-client" status)" "no kill switch"
stop "$client_pid"
