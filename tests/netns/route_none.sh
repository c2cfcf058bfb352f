#!/usr/bin/env bash
# route_mode none: the client adds no route, and those of the user lead through the tunnel.
. "$(dirname "$0")/topology.sh"

topology
start_server
on client ip route show table main >"$work/routes"
cp "$(etc client resolv.conf)" "$work/resolv.conf"
start_client client 'route_mode: none'

route() { on client ip route get "$1" | head -n 1; }

check "the main table is as it was" -- \
  diff "$work/routes" <(on client ip route show table main)
for address in 10.8.0.1 "$server_address" "$web_address"; do
  check_contains "$address is outside" "$(route "$address")" 'dev eth0'
done
check_lacks "there is no rule of ours" "$(on client ip rule)" "514454"
check "name servers that may be out of reach are not set" -- \
  cmp "$work/resolv.conf" "$(etc client resolv.conf)"

on client ip route add 10.8.0.0/24 dev qdt0
on client ip route add "$web_address" dev qdt0
check "by a route of the user's, the pool is there" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
check "and the world" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
