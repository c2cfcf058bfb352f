#!/usr/bin/env bash
# A host that did not forward becomes no router when its server starts: a neighbour on the uplink
# reaches neither the server's other networks nor its clients, over IPv4 and IPv6, with and without
# nat. Clients go everywhere; devices that come later reach the world, and so do ports that the host
# redirects.
. "$(dirname "$0")/topology.sh"

topology
ip -n "$(ns router)" route add 192.0.2.0/24 via 203.0.113.2
ip -n "$(ns router)" route add 10.8.0.0/24 via 203.0.113.2
ip -n "$(ns router)" -6 route add fd00:8::/64 via 2001:db8:2::2
ip -n "$(ns web)" route add default via 192.0.2.1
on server sysctl -qw net.ipv6.conf.all.forwarding=0
passes() { on "$1" ping -n -q -c 1 -W 1 "$2" >/dev/null 2>&1; }
stops() { ! passes "$@"; }
closed() {
  check "$1: the uplink's neighbour does not reach the inner network" -- stops router "$web_address"
  check "$1: nor over IPv6" -- stops router "$web_address6"
  check "$1: nor the other way round" -- stops web 203.0.113.1
  check "$1: a client reaches it" -- passes client "$web_address"
}

closed_before() { stops router "$web_address" && stops router "$web_address6"; }
check "before the server starts, nothing is forwarded" -- closed_before
start_server 'pool_cidr6: fd00:8::/64'
start_client
inner=$(lease client)
inner6=$(lease6 client)
closed "with nat"
check "with nat, a client reaches it over IPv6" -- passes client "$web_address6"
check "with nat, nobody outside begins with a client" -- stops router "$inner"
check "nor over IPv6" -- stops router "$inner6"
check "the server does" -- passes server "$inner"

# Docker is installed, with a container and a published port.
add_host container
join server br7 172.17.0.1/16 container eth0 172.17.0.2/16
ip -n "$(ns container)" route add default via 172.17.0.1
on server nft -f - <<'NFT'
table ip nat7 {
  chain pre { type nat hook prerouting priority dstnat; tcp dport 8080 dnat to 172.17.0.2:8080; tcp dport 8081 dnat to 192.0.2.80:8000; }
  chain post { type nat hook postrouting priority srcnat; ip saddr 172.17.0.0/16 oifname != "br7" masquerade; }
}
NFT
check "a container that came later reaches the world" -- wait_for 5 passes container 203.0.113.1
check "but no client, whose address is translated" -- stops container "$inner"
mkdir -p "$work/files"
echo hello >"$work/files/hello"
serve_files web "$web_address"
check_equal "a port that the host redirects into its inner network is open" \
  "$(fetch router http://203.0.113.2:8081/hello)" hello
check "without that port, still closed" -- stops router "$web_address"
on server nft delete table ip nat7
ip -n "$(ns server)" link del br7
stop "$client_pid"
stop "$server_pid"
check "after its end, nothing is forwarded" -- closed_before

start_server 'nat: {enabled: false}'
start_client
closed "without nat"
check "without nat, clients can be reached, as routed" -- passes router "$(lease client)"
stop "$client_pid"
stop "$server_pid"

on server sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
start_server 'pool_cidr6: fd00:8::/64'
check "a host that was a router stays one" -- passes router "$web_address"
check "over IPv6, too" -- passes router "$web_address6"
