#!/usr/bin/env bash
# IPv4 and IPv6 are raced: a family that is dead on the way costs a quarter of a second, whichever it
# is. A client that is told to wait for its server does so.
. "$(dirname "$0")/topology.sh"

topology
start_server
printf '127.0.0.1 localhost\n%s vpn.test\n%s vpn.test\n' "$server_address6" "$server_address" \
  >"$(etc client hosts)"
yaml=('server: vpn.test' 'route_mode: none')
status_of() { try client "$build/qdt-client" --status; }

# without FAMILY: the router drops it; the client connects by the other one, $1.
without() {
  on router nft add table "$2" dead
  on router nft add chain "$2" dead drops '{ type filter hook prerouting priority 0; }'
  on router nft add rule "$2" dead drops udp dport 443 drop
  local begun=${EPOCHREALTIME/./}
  start_client client "${yaml[@]}"
  local took=$(((${EPOCHREALTIME/./} - begun) / 1000))
  status_of
  check_contains "without $2 the client connects to $1" "$output" "(${1}:443)"
  check "in $took ms" -- test "$took" -lt 2500
  on router nft delete table "$2" dead
  stop "$client_pid"
}
without "$server_address" ip6
without "[$server_address6]" ip

stop "$server_pid"
run_client client "${yaml[@]}" 'wait_for_server: true' 'timeout: 1s'
wait_for 10 grep -q 'connecting: no answer from' "$work/client.log" || fail "the client does not try"
status_of
check_equal "a client that waits for its server says so" "$status" 3
check_contains "and why" "$output" "qdt0: connecting for"
start_server
check "and connects once the server is there" -- \
  wait_for 20 grep -q 'connected: this host is' "$work/client.log"
stop "$client_pid"
check_equal "it is stopped like any other" "$status" 0
