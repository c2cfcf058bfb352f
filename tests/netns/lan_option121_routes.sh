#!/usr/bin/env bash
# Routes that a DHCP server hands out (option 121, TunnelVision) take nothing out of a tunnel that
# takes everything: of public addresses, of private ones, and of half the world.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
add_lan
count_around
start_server 'dns: []'
start_client client 'route_mode: default'
for destination in 192.0.2.0/24 192.0.2.80/32 0.0.0.0/1 128.0.0.0/1 10.20.0.0/16; do
  ip -n "$(ns client)" route add "$destination" via "$lan_address" dev eth0
done
ip -n "$(ns client)" -6 route add 2001:db8:3::/64 via 2001:db8:1::1 dev eth0
check "the world goes through the tunnel at once" -- on client ping -c 5 -i 0.1 -W 1 "$web_address"
check_contains "private networks behind a gateway, too" "$(route 10.20.1.1)" 'dev qdt0'
for destination in 192.0.2.0/24 0.0.0.0/1 10.20.0.0/16; do
  check "the log names $destination" -- \
    wait_for 5 logged "route $destination via $lan_address dev eth0 does not count"
done
check "the world goes through it later, too" -- on client ping -c 5 -i 0.1 -W 1 "$web_address"
on client ping -c 3 -i 0.1 -W 0.3 "$web_address6" >/dev/null 2>&1 || true
check_equal "not one packet went around it" "$(around)" 0
