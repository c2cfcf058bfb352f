#!/usr/bin/env bash
# Clients reach no service of the server's host, by whichever of its addresses: the gateway's, those of
# its other networks, one that comes later, broadcast, a loopback address; over IPv4 and IPv6. A ping is
# answered, the name server that they were given as well, and so is what the host itself asks of a
# client. The operator opens more by host_access, and less. With and without nat.
. "$(dirname "$0")/topology.sh"
. "$here/reach.sh"

topology
on server sysctl -qw net.ipv4.conf.all.route_localnet=1
ip -n "$(ns server)" address add 203.0.113.7/24 dev wan  # the other one stays outside of a client's tunnel
echo_on server 0.0.0.0 ::
echo_port=53 echo_on server 0.0.0.0 ::
# A client that sends to loopback addresses.
on client sysctl -qw net.ipv4.conf.all.route_localnet=1
ip -n "$(ns client)" route del table local local 127.0.0.0/8 dev lo
addresses=(10.8.0.1 203.0.113.7 192.0.2.1 192.0.2.77 fd00:8::1 2001:db8:2::2 2001:db8:3::1)
pings=() services=()
for address in "${addresses[@]}"; do pings+=("ping:$address"); services+=("tcp:$address" "udp:$address"); done
others=(udp:192.0.2.255 udp:10.8.0.255 udp:255.255.255.255 udp:224.0.0.1 tcp:127.0.0.5 udp:127.0.0.5 ping:127.0.0.5)
names=(udp:10.8.0.1#53 tcp:10.8.0.1#53 udp:fd00:8::1#53 tcp:fd00:8::1#53)
other_names=(udp:192.0.2.1#53 tcp:203.0.113.7#53 udp:2001:db8:3::1#53)
begin() {
  start_server 'pool_cidr6: fd00:8::/64' "dns: [10.8.0.1, 'fd00:8::1']" "$@"
  start_client client 'route_mode: cidr' 'routes: [192.0.2.0/24, 203.0.113.7/32, "2001:db8:2::/64", "2001:db8:3::/64"]'
  [ -n "${inner:-}" ] || { inner=$(lease client) inner6=$(lease6 client) && echo_on client "$inner" "$inner6"; }
  check_equal "the client has its address" "$(lease client)" "$inner"
  ip -n "$(ns client)" route add 224.0.0.1/32 dev qdt0
  ip -n "$(ns client)" route add 127.0.0.5/32 dev qdt0 src "$inner"
  [ "$later" = no ] || ip -n "$(ns server)" address add 192.0.2.77/24 dev lan
}
end() { stop "$client_pid"; stop "$server_pid"; }

later=yes
for nat in true false; do
  begin "nat: {enabled: $nat}"
  later=no
  check_equal "nat $nat: pings are answered" "$(answers client "${pings[@]}")" "${pings[*]}"
  check_equal "nat $nat: no service is" "$(answers client "${services[@]}" "${others[@]}" "${other_names[@]}")" ""
  check_equal "nat $nat: the name servers are" "$(answers client "${names[@]}")" "${names[*]}"
  try client timeout 0.5 bash -c 'echo >/dev/tcp/192.0.2.1/7007'
  check_contains "nat $nat: a service is refused at once" "$output" 'Connection refused'
  check_all "nat $nat: what the host asks of a client is answered" server "$inner" "$inner6"
  check_equal "nat $nat: being refused opens nothing" \
    "$(answers client 'tcp:10.8.0.1#7007<5001'; answers client 'tcp:10.8.0.1#7007<5001' 'udp:10.8.0.1#7007<5001')" ""
  end
done

for nat in true false; do
  begin "nat: {enabled: $nat}" 'host_access: none'
  check_equal "none, nat $nat: the name servers alone are" \
    "$(answers client "${pings[@]}" "${services[@]}" "${others[@]}" "${other_names[@]}" "${names[@]}")" "${names[*]}"
  check_all "none, nat $nat: what the host asks of a client is answered" server "$inner" "$inner6"
  end
done

begin 'host_access: all'
check_equal "all: everything is answered, but for the loopback" \
  "$(answers client "${pings[@]}" "${services[@]}" "${names[@]}" tcp:127.0.0.5 udp:127.0.0.5)" "${pings[*]} ${services[*]} ${names[*]}"
