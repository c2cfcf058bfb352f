#!/usr/bin/env bash
# route_mode default: the world goes into the tunnel; the tunnel's own packets and the local network
# stay outside, also when the gateway changes.
. "$(dirname "$0")/topology.sh"

mark=0x514454  # of the tunnel's own packets

topology
start_server
start_client client 'route_mode: default' "$public_lan"

route() { on client ip route get "$@" | head -n 1; }

check_contains "the world is inside" "$(route "$web_address")" 'dev qdt0'
check_contains "the pool is inside" "$(route 10.8.0.1)" 'dev qdt0'
check_contains "the tunnel's own way to the server is outside" \
  "$(route "$server_address" mark "$mark")" 'via 198.51.100.1 dev eth0'
check_contains "the local network is outside" "$(route 198.51.100.1)" 'dev eth0'
check "it is there" -- on client ping -c 2 -i 0.2 -W 2 198.51.100.1
check "the world is there" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"

# Another gateway takes over.
on router sysctl -qw net.ipv4.conf.cl1.promote_secondaries=1
ip -n "$(ns router)" address add 198.51.100.254/24 dev cl1
watch client qdt0 "udp port 443 or host $server_address"
ip -n "$(ns client)" route replace default via 198.51.100.254
ip -n "$(ns router)" address delete 198.51.100.1/24 dev cl1
check_contains "the tunnel's way goes by the new gateway" \
  "$(route "$server_address" mark "$mark")" 'via 198.51.100.254 dev eth0'
check_contains "the world is inside as before" "$(route "$web_address")" 'dev qdt0'
check "it is there as before" -- on client ping -c 10 -i 0.1 -W 2 "$web_address"
check "also for large packets" -- on client ping -c 10 -i 0.1 -W 2 -s 3000 "$web_address"
end_watch 10.8.0.1
check_equal "the tunnel never went into itself" "$packets" ""
