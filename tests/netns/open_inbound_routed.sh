#!/usr/bin/env bash
# Clients whose addresses are routed are reached from outside, unless nat.inbound says otherwise: with
# nat.ipv6 off and without nat at all. A translated address beside a routed one is closed.
. "$(dirname "$0")/topology.sh"
. "$here/reach.sh"

topology
ip -n "$(ns router)" route add 10.8.0.0/24 via 203.0.113.2
ip -n "$(ns web)" route add 10.8.0.0/24 via 192.0.2.1
ip -n "$(ns router)" -6 route add 2001:db8:8::/64 via 2001:db8:2::2
echo_on client 0.0.0.0 ::
echo_on web "$web_address" "$web_address6"
begin() {
  start_server 'pool_cidr6: 2001:db8:8::/64' "$@"
  start_client client 'route_mode: default'
  inner=$(lease client) inner6=$(lease6 client)
}
end() { stop "$client_pid"; stop "$server_pid"; }

begin 'nat: {ipv6: off}'
check_all "a routed IPv6 address is reached" router "$inner6"
check_none "the translated one beside it is not" router "$inner"
end
begin 'nat: {ipv6: off, inbound: refuse}'
check_none "it is not, where that is refused" router "$inner" "$inner6"
check_all "what the client begins is answered" client "$web_address" "$web_address6"
end
begin 'nat: {enabled: false}'
check_all "without nat, both are reached" router "$inner" "$inner6"
end
begin 'nat: {enabled: false, inbound: refuse}'
check_none "unless that is refused" router "$inner" "$inner6"
check_all "what the client begins is answered" client "$web_address" "$web_address6"
check_all "and what the server begins" server "$inner" "$inner6"
