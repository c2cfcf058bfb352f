#!/usr/bin/env bash
# The division between tunnel and outside: routes, exclude and the server's push_routes. A server
# that pushes a route to itself is refused, and nothing is left of the attempt.
. "$(dirname "$0")/topology.sh"

route() { on client ip route get "$@" | head -n 1; }

topology
for address in 192.0.2.90 172.16.1.1; do ip -n "$(ns web)" address add "$address/32" dev eth0; done
ip -n "$(ns server)" route add 172.16.0.0/16 via 192.0.2.80
remember client

say "--- routes"
start_server 'push_routes: [192.0.2.0/24, "2001:db8:3::/64"]'
start_client client '#route_mode:' 'routes: [172.16.0.0/16]' 'exclude: [192.0.2.90/32, 172.16.2.0/24]'
check_contains "routes alone leave the world outside" "$(route 1.1.1.1)" 'dev eth0'
check_contains "a route is inside" "$(route 172.16.1.1)" 'dev qdt0'
check "and carries" -- on client ping -c 2 -i 0.2 -W 2 172.16.1.1
check_contains "the server's pool is inside" "$(route 10.8.0.9)" 'dev qdt0'
check_contains "what the server pushes is inside" "$(route "$web_address")" 'dev qdt0'
check "and carries" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
check_contains "what is excluded of it is outside" "$(route 192.0.2.90)" 'dev eth0'
check_contains "its neighbour is not" "$(route 192.0.2.91)" 'dev qdt0'
check_contains "also of one's own" "$(route 172.16.2.1)" 'dev eth0'
stop "$client_pid"
check_unchanged "afterwards the host is as it was" client

start_client client 'route_mode: none' 'routes: [172.16.0.0/16]'
check_contains "with route_mode none, routes alone are inside" "$(route 172.16.1.1)" 'dev qdt0'
check_contains "what the server pushes is not" "$(route "$web_address")" 'dev eth0'
check_contains "nor is its pool" "$(route 10.8.0.9)" 'dev eth0'
stop "$client_pid"
check_unchanged "afterwards the host is as it was" client

say "--- exclude"
start_client client 'route_mode: default' 'exclude: [203.0.113.0/24, "2001:db8:2::/64"]' "$public_lan"
check_contains "everything is inside" "$(route "$web_address")" 'dev qdt0'
check_contains "but what is excluded" "$(route 203.0.113.1)" 'via 198.51.100.1 dev eth0'
check "which is there" -- on client ping -c 2 -i 0.2 -W 2 203.0.113.1
check "over IPv6, too" -- on client ping -c 2 -i 0.2 -W 2 2001:db8:2::1
check_contains "the LAN is outside" "$(route 198.51.100.1)" 'dev eth0'
stop "$client_pid"
check_unchanged "afterwards the host is as it was" client

start_client client 'kill_switch: true' 'exclude: [203.0.113.0/24]' "$public_lan"
check "what is excluded passes the kill switch" -- on client ping -c 2 -i 0.2 -W 2 203.0.113.1
on client ping -c 1 -W 0.3 198.51.100.1 >/dev/null && fail "the LAN passes it, too"
stop "$client_pid"
check_unchanged "afterwards the host is as it was" client

say "--- refused"
# refused WORDS [YAML...] -- PART: the client ends with status 1, says PART, and leaves nothing.
refused() {
  local what=$1 yaml=()
  shift
  while [ "$1" != -- ]; do yaml+=("$1"); shift; done
  try_client client "${yaml[@]}"
  check_equal "$what ends the client" "$status" 1
  check_contains "it says why" "$output" "$2"
  check_unchanged "and leaves nothing behind" client
}
refused "a route to the server itself" 'routes: [203.0.113.0/24]' -- \
  "covers the server's own address 203.0.113.2"
start_client client 'routes: [203.0.113.0/24]' "exclude: [$server_address/32]"
check "unless the server is excluded" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
stop "$client_pid"
ip -n "$(ns client)" route add 172.16.0.0/16 via 198.51.100.1
remember client
refused "a route that the host has already" 'routes: [172.16.0.0/16]' -- \
  "this host has another route to it"
stop "$server_pid"
start_server 'push_routes: [203.0.113.0/24]'
refused "a pushed route to the server itself" 'route_mode: cidr' -- \
  "the server's route 203.0.113.0/24 covers the server's own address"
start_client client 'route_mode: default'
check "with route_mode default pushed routes do not count" -- \
  on client ping -c 2 -i 0.2 -W 2 "$web_address"
stop "$client_pid"
