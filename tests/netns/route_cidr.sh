#!/usr/bin/env bash
# route_mode cidr: the server's pool goes into the tunnel, and nothing else.
. "$(dirname "$0")/topology.sh"

topology
start_server
start_client client 'route_mode: cidr'

route() { on client ip route get "$1" | head -n 1; }

check_contains "the pool is inside" "$(route 10.8.0.1)" 'dev qdt0'
check_contains "all of it" "$(route 10.8.0.254)" 'dev qdt0'
check_contains "the server is outside" "$(route "$server_address")" 'dev eth0'
check_contains "the world is outside" "$(route "$web_address")" 'dev eth0'
check_contains "IPv6 is as it was" "$(route "$web_address6")" 'dev eth0'
check "the pool is there" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
check "the server is there" -- on client ping -c 2 -i 0.2 -W 2 "$server_address"
check_lacks "there is no rule of ours" "$(on client ip rule)" "514454"
