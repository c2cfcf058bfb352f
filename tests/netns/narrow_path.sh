#!/usr/bin/env bash
# A path that does not carry what QUIC needs: the client says so instead of "no answer", whether the
# link is far away or its own, and connects once the path is wider.
. "$(dirname "$0")/topology.sh"
. "$here/link.sh"

topology
emulate --delay 2ms
start_server

change_link "--max-packet 1100"
try_client client 'timeout: 4s'
check_equal "no session over a link of 1100 bytes: status 3" "$status" 3
check_contains "the reason is named" "$output" "the path to 203.0.113.2:443 is too narrow for QUIC"
check_contains "and what is needed" "$output" "none of 1228 bytes, its least over IPv4"
check_contains "and where to look" "$output" "on the way to at least 1228"

stop "$server_pid"
try_client client 'timeout: 3s'
check_contains "without a server it is another reason" "$output" "no answer from 203.0.113.2:443: is the server"
start_server

# The same of a client that goes on trying, until it may.
run_client client 'wait_for_server: true' 'timeout: 3s'
wait_for 10 grep -q "too narrow for QUIC" "$work/client.log" || fail "a waiting client does not say it"
change_link "--max-packet 1500"
check "it connects when the path is wider" -- wait_for 20 grep -q 'connected: this host is' "$work/client.log"
stop "$client_pid"

ip -n "$(ns client)" link set eth0 mtu 1100
try_client client 'timeout: 4s'
check_equal "no session over this host's own link of 1100 bytes: status 3" "$status" 3
check_contains "which is named" "$output" "this host's own network device refuses those of 1228 bytes"
check_contains "and what to do" "$output" "raise the MTU of that device to at least 1228"
