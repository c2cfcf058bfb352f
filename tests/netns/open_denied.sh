#!/usr/bin/env bash
# Clients reach no link-local address and none at which clouds tell a host its secrets, whether the host
# routes to it or has it, over IPv4 and IPv6, not by a source route either; nor what `deny` names, also
# where another program translates another address to it. They are told so at once. The name server that
# they were given is reached there all the same.
. "$(dirname "$0")/topology.sh"
. "$here/reach.sh"

topology
metadata=(169.254.169.254 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254 fd20:ce::254)
ip -n "$(ns web)" route add 10.8.0.0/24 via 192.0.2.1
for address in "${metadata[@]}"; do
  case $address in
    *:*) ip -n "$(ns web)" address add "$address/128" dev lo
      ip -n "$(ns server)" -6 route add "$address/128" via "$web_address6" ;;
    *) ip -n "$(ns web)" address add "$address/32" dev lo
      ip -n "$(ns server)" route add "$address/32" via "$web_address" ;;
  esac
done
echo_on web "${metadata[@]}" "$web_address" "$web_address6"
echo_port=53 echo_on web "$web_address" 192.0.2.81
ip -n "$(ns web)" address add 192.0.2.81/24 dev eth0
# A name server of the host's own, on a link-local address.
ip -n "$(ns server)" address add 169.254.20.10/32 dev lo
echo_on server 169.254.20.10
check_all "the host itself reaches them" server "${metadata[@]}"
begin() { start_server 'pool_cidr6: fd00:8::/64' "$@"; start_client client 'route_mode: default'; }
end() { stop "$client_pid"; stop "$server_pid"; }

for nat in true false; do
  begin "nat: {enabled: $nat}" 'host_access: all'
  ip -n "$(ns client)" route add 169.254.0.0/16 dev qdt0
  if [ "$nat" = true ]; then check_all "a client reaches the web" client "$web_address" "$web_address6"; fi
  check_none "nat $nat: and none of these" client "${metadata[@]}" 169.254.20.10
  try client timeout 0.5 bash -c 'echo >/dev/tcp/169.254.169.254/7007'
  check_contains "nat $nat: the refusal is told" "$output" 'Connection refused'
  end
done

begin 'nat: {enabled: true}'
ip -n "$(ns client)" route add 169.254.0.0/16 dev qdt0
on server nft -f - <<'NFT'
table inet proxy {
  chain pre { type nat hook prerouting priority dstnat; ip daddr 198.18.0.1 dnat ip to 169.254.169.254; }
}
NFT
check_none "an address that the host translates to it does not help" client 198.18.0.1
on server nft delete table inet proxy
on server sysctl -qw net.ipv4.conf.all.accept_source_route=1 net.ipv4.conf.lan.accept_source_route=1
on web sysctl -qw net.ipv4.conf.all.accept_source_route=1 net.ipv4.conf.eth0.accept_source_route=1 net.ipv4.conf.lo.accept_source_route=1
watch web eth0 "host 169.254.169.254"
# A loose source route by the gateway.
on client python3 - <<'PYTHON'
import socket
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([1, 131, 7, 4]) + socket.inet_aton("10.8.0.1"))
try: asking.sendto(b"x", ("169.254.169.254", 7007))
except OSError: pass
PYTHON
end_watch 192.0.2.1
check_equal "nor does a source route" "$(grep -c 7007 <<<"$packets")" 0
end

begin 'deny: [192.0.2.0/24, "2001:db8:3::/64"]' "dns: [$web_address]"
check_equal "of a network that deny names, the name server is reached alone" \
  "$(answers client "udp:$web_address#53" "tcp:$web_address#53" "udp:192.0.2.81#53" "udp:$web_address" "tcp:$web_address" "ping:$web_address" "tcp:$web_address6")" \
  "udp:$web_address#53 tcp:$web_address#53"
end
begin 'deny: []'
ip -n "$(ns client)" route add 169.254.0.0/16 dev qdt0
check_all "deny: [] denies nothing" client "${metadata[@]}"
