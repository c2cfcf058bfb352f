#!/usr/bin/env bash
# Towards clients whose addresses are translated go answers and ICMP errors alone, over IPv4 and IPv6:
# also on a host that was a router before, from a container's bridge that came later, and with a
# nat.external_iface. The operator opens more by nat.inbound or by redirecting a port.
. "$(dirname "$0")/topology.sh"
. "$here/reach.sh"

topology
on server sysctl -qw net.ipv4.ip_forward=1
ip -n "$(ns router)" route add 10.8.0.0/24 via 203.0.113.2
ip -n "$(ns router)" -6 route add fd00:8::/64 via 2001:db8:2::2
add_host container
join server br7 172.17.0.1/16 container eth0 172.17.0.2/16
ip -n "$(ns container)" route add default via 172.17.0.1
echo_on client 0.0.0.0 ::
# The client, and its addresses.
begin_client() {
  start_client client 'route_mode: default'
  inner=$(lease client) inner6=$(lease6 client)
}

for external in '' lan; do
  start_server 'pool_cidr6: fd00:8::/64' "nat: {external_iface: '$external'}"
  begin_client
  for host in router web; do
    check_none "external_iface '$external': $host begins nothing with a client" "$host" "$inner" "$inner6"
  done
  check_none "nor does a container" container "$inner"
  check_all "the server does" server "$inner" "$inner6"
  [ -z "$external" ] || break
  stop "$client_pid"
  stop "$server_pid"
done
stop "$client_pid"
stop "$server_pid"

start_server 'pool_cidr6: fd00:8::/64'
begin_client
echo_on web "$web_address" "$web_address6"
check_all "a client reaches the web" client "$web_address" "$web_address6"
ip -n "$(ns server)" route add 192.0.2.99 dev lan mtu 600
try client ping -c 1 -W 2 -M 'do' -s 1000 192.0.2.99
check_contains "an ICMP error for what a client sent reaches it" "$output" "mtu"
on server nft -f - <<NFT
table inet published {
  chain pre { type nat hook prerouting priority dstnat; iifname "wan" tcp dport 8080 dnat ip to $inner:7007; }
}
NFT
check_equal "a port that the host redirects to a client reaches it, and nothing else does" \
  "$(answers router tcp:203.0.113.2#8080 "tcp:$inner")" tcp:203.0.113.2#8080
on server nft delete table inet published
stop "$client_pid"
stop "$server_pid"

start_server 'pool_cidr6: fd00:8::/64' 'nat: {inbound: allow}'
begin_client
check_all "with nat.inbound: allow, everybody begins what he likes" router "$inner" "$inner6"
before=$inner
talk_from router "$inner"
check "a conversation that began outside" -- wait_for 5 is_answered
stop "$client_pid"
stop "$server_pid"
start_server 'pool_cidr6: fd00:8::/64'
begin_client
check_equal "the client has its address again" "$inner" "$before"
check "does not go on where that is refused" -- is_silent
