#!/usr/bin/env bash
# Hosts behind the client (containers, a shared link) use the tunnel, and are refused what would go
# around it, whoever routes them there.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
add_host box
join client box0 172.30.0.1/24 box eth0 172.30.0.2/24
ip -n "$(ns box)" route add default via 172.30.0.1
on client sysctl -qw net.ipv4.ip_forward=1
on client nft -f - <<'NFT'
table ip shared {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr 172.30.0.0/24 oifname != "box0" masquerade
  }
}
NFT
count_around
on box ping -c 2 -i 0.2 -W 0.3 "$web_address" >/dev/null || true
check "without the tunnel, its packets go to the router" -- test "$(around)" -gt 0

start_server 'dns: []'
start_client client 'route_mode: default'
before=$(around)
check "a host behind the client uses the tunnel" -- on box ping -c 2 -i 0.2 -W 2 "$web_address"
check "and reaches the client" -- on box ping -c 1 -W 1 172.30.0.1
check "which reaches it" -- on client ping -c 1 -W 1 172.30.0.2
ip -n "$(ns client)" rule add from 172.30.0.0/24 lookup main pref 100
try box ping -c 3 -i 0.2 -W 0.3 "$web_address"
check_contains "one that is routed around the tunnel is told" "$output" filtered
ip -n "$(ns client)" rule delete pref 100
ip -n "$(ns client)" link set qdt0 down
on box ping -c 5 -i 0.1 -W 0.3 "$web_address" >/dev/null || true
check_equal "not one of its packets went around the tunnel" "$(($(around) - before))" 0
