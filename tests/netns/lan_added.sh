#!/usr/bin/env bash
# lan: [prefix] leaves a LAN with public addresses outside, or one behind a gateway, IPv4 and IPv6,
# besides those with private addresses.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
add_lan
ip -n "$(ns client)" route add 203.0.113.0/24 via "$lan_address"
start_server 'dns: []'
start_client client 'route_mode: default' 'lan: [198.51.100.0/24, 203.0.113.0/24, "2001:db8:1::/64"]'
for address in 198.51.100.1 203.0.113.1 "$lan_address" 2001:db8:1::1; do
  check_contains "$address is outside" "$(route "$address")" 'dev eth0'
  check "and there" -- on client ping -c 2 -i 0.2 -W 1 "$address"
done
check_contains "the world is inside" "$(route "$web_address")" 'dev qdt0'
check_lacks "nothing is said about networks that are named" "$(cat "$work/client.log")" 'does not count'
stop "$client_pid"

# No LAN with this prefix: the host's other routes decide.
start_client client 'route_mode: default' 'lan: [203.0.113.0/24]'
check_contains "a LAN that is not named is inside" "$(route 198.51.100.1)" 'dev qdt0'
try_client client 'lan: [198.51.100.1/24]'
check_equal "what is no prefix is refused" "$status" 1
try_client client 'lan: on'
check_contains "and a word that is not off" "$output" "lan: found \"on\", expected a list"
