#!/usr/bin/env bash
# The client's LAN has the addresses of the server's pool. With route_mode default the client says
# so, the tunnel works and the LAN stays reachable; with cidr it ends with a message, before
# anything is touched; exclude makes it go.
. "$(dirname "$0")/topology.sh"

topology
start_server 'dns: [10.8.0.53]'
ip -n "$(ns router)" address add 10.8.0.1/24 dev cl1
ip -n "$(ns client)" address add 10.8.0.77/24 dev eth0
reaches() { on client ping -n -q -c 2 -i 0.2 -W 2 "$1"; }
lan_mac() { ip -n "$(ns client)" neighbour show 10.8.0.1 dev eth0; }

start_client client
check "default: the tunnel works" -- reaches "$web_address"
check "default: the LAN's router is reached" -- reaches 10.8.0.1
check_contains "it is the LAN's, not the tunnel's" "$(lan_mac)" lladdr
check_contains "the log warns of it" "$(cat "$work/client.log")" \
  "the server's pool 10.8.0.0/24 overlaps a network of this host, 10.8.0.0/24 of eth0, where this host is 10.8.0.77"
check_contains "and of the name server in it" "$(cat "$work/client.log")" \
  "the tunnel reaches nobody in it, but for the name server 10.8.0.53"
check_contains "which is asked through the tunnel" "$(on client ip route get 10.8.0.53)" "dev qdt0"
stop "$client_pid"

# refused WORDS PREFIX
refused() {
  remember client
  try_client client 'route_mode: cidr'
  check_equal "$1: the client ends: this host" "$status" 1
  check_contains "$1: it names the network" "$output" \
    "the server's pool 10.8.0.0/24 overlaps a network of this host, $2 of eth0"
  check_contains "$1: and what to change" "$output" "change pool_cidr at the server"
  check_contains "$1: and how to do without" "$output" "exclude: [$2]"
  check_unchanged "$1: nothing was touched" client
}
refused "cidr" 10.8.0.0/24
start_client client 'route_mode: cidr' 'exclude: [10.8.0.0/24]' 'routes: [192.0.2.0/24]'
check "with exclude, the client works" -- reaches "$web_address"
check "and the LAN" -- reaches 10.8.0.1
stop "$client_pid"

ip -n "$(ns client)" address del 10.8.0.77/24 dev eth0
ip -n "$(ns client)" address add 10.1.2.3/8 dev eth0
refused "a wider LAN" 10.0.0.0/8
start_client client
check "default in a wider LAN: the tunnel works" -- reaches "$web_address"
stop "$client_pid"
ip -n "$(ns client)" address del 10.1.2.3/8 dev eth0

# A LAN that comes later.
start_client client
ip -n "$(ns client)" address add 10.8.0.77/24 dev eth0
check "default, the LAN comes later: the log tells" -- \
  wait_for 5 grep -q 'overlaps a network of this host, 10.8.0.0/24 of eth0' "$work/client.log"
check "the LAN's router is reached" -- wait_for 5 reaches 10.8.0.1
check_contains "it is the LAN's, not the tunnel's" "$(lan_mac)" lladdr
check "the tunnel works" -- reaches "$web_address"
stop "$client_pid"
ip -n "$(ns client)" address del 10.8.0.77/24 dev eth0
start_client client 'route_mode: cidr'
ip -n "$(ns client)" address add 10.8.0.77/24 dev eth0
check "cidr, the LAN comes later: the log tells" -- \
  wait_for 5 grep -q 'it takes that network.s place' "$work/client.log"
check_lacks "the session goes on" "$(cat "$work/client.log")" "the connection was lost"
stop "$client_pid"
ip -n "$(ns client)" address del 10.8.0.77/24 dev eth0

ip -n "$(ns client)" route add 10.0.0.0/8 via 198.51.100.1
start_client client 'route_mode: cidr'
check "a wide route to other networks is no LAN" -- reaches 10.8.0.1
stop "$client_pid"
