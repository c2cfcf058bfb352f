#!/usr/bin/env bash
# Addresses are lent one after the other, without network, broadcast and gateway; when all are lent
# the next client is refused and waits, and one gets the address of one that left.
. "$(dirname "$0")/topology.sh"

topology 3
start_server 'pool_cidr: 10.77.0.0/29' 'gateway_ip: 10.77.0.3' 'handshake_ip_rate: {pps: 0}'
check_equal "eight addresses less three can be lent" "$(metric qdt_pool_addresses)" 5

hold() {
  run client "hold$1" "$build/qdt-probe" --token "$token" --stay "$server_address:443"
  wait_for 5 grep -q pong "$work/hold$1.log" || fail "no session: $(cat "$work/hold$1.log")"
}
for i in 1 2 3; do hold "$i"; done
start_client client2 'route_mode: cidr'
second_pid=$client_pid
second=$(lease client2)
start_client client3 'route_mode: cidr'
addresses=$(cat "$work"/hold?.log | grep -o '"client_ip":"[^"]*"' | cut -d'"' -f4
  printf '%s\n' "$second" "$(lease client3)")
has_one_shard || addresses=$(sort <<<"$addresses")
check_equal "all are lent, in order, the gateway left out" "$(tr '\n' ' ' <<<"$addresses")" \
  "10.77.0.1 10.77.0.2 10.77.0.4 10.77.0.5 10.77.0.6 "
check_equal "five sessions" "$(metric qdt_sessions_active)" 5

run_client client 'route_mode: cidr'
check "the sixth is refused, with the reason, and waits" -- \
  wait_for 10 grep -q 'refused: address pool exhausted' "$work/client.log"
stop "$client_pid"

stop "$second_pid"
sessions_are() { [ "$(metric qdt_sessions_active)" -eq "$1" ]; }
wait_for 5 sessions_are 4 || fail "the session of a client that left stays"
check_equal "its lease is kept for it" "$(metric qdt_kept_leases)" 1
start_client client2 'route_mode: cidr'
check_equal "until it is back" "$(metric qdt_kept_leases)" 0
check_equal "an address is lent again after its client left" "$(lease client2)" "$second"
check "and it works" -- on client2 ping -c 3 -i 0.2 -W 2 "$(lease client3)"
