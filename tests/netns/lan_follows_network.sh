#!/usr/bin/env bash
# The networks that count as a LAN follow the host: an address that comes later, a device that does, and their going.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
remember client
start_server 'dns: []'
start_client client 'route_mode: default'
is_outside() { route "$1" | grep -q "dev $2"; }
is_inside() { route "$1" | grep -q 'dev qdt0'; }
check "before there is a LAN, its addresses are inside" -- is_inside "$lan_address"
add_lan
check "one that comes is outside" -- wait_for 5 is_outside "$lan_address" eth0
check "and there" -- wait_for 5 on client ping -c 1 -W 1 "$lan_address"
add_host box
join client box0 172.30.0.1/24 box eth0 172.30.0.2/24
check "so is one by another device" -- wait_for 5 is_outside 172.30.0.2 box0
check "which is there" -- wait_for 5 on client ping -c 1 -W 1 172.30.0.2
ip -n "$(ns client)" link delete box0
check "one that is gone is inside" -- wait_for 5 is_inside 172.30.0.2
ip -n "$(ns client)" address delete 192.168.77.2/24 dev eth0
check "also by its address" -- wait_for 5 is_inside "$lan_address"
check "the tunnel carries" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
stop "$client_pid"
check_unchanged "in the end nothing is left of them" client
