#!/usr/bin/env bash
# Clients with public IPv6 addresses, which the network routes to the server: reachable, and not
# translated; the world is told what fits the tunnel. Clients with one kind of address get both.
. "$(dirname "$0")/topology.sh"

topology 2
pool6='pool_cidr6: 2001:db8:8::/64'
start_server "$pool6" 'nat: {ipv6: off}' "dns: [1.1.1.1, '2001:db8:3::53']"
start_client client 'route_mode: cidr'
start_client client2 'route_mode: default'
inner=$(lease6 client2)

watch web eth0 "icmp6 and host $inner"
check "a client that has no other IPv6 pings the world" -- \
  on client2 ping -c 3 -i 0.2 -W 2 "$web_address6"
end_watch 192.0.2.1
check_contains "with its own address" "$packets" "$inner > $web_address6"
check "the world reaches it" -- on web ping -c 3 -i 0.2 -W 2 "$inner"
check_contains "it asks the IPv6 name server" "$(cat "$(etc client2 resolv.conf)")" 2001:db8:3::53

check_contains "with route_mode cidr, the pool is in the tunnel" \
  "$(on client ip -6 route get "$inner")" 'dev qdt0'
check_contains "and the world outside" "$(on client ip -6 route get "$web_address6")" 'dev eth0'
check "the server is reached inside" -- on client ping -c 2 -i 0.2 -W 2 2001:db8:8::1

wait_for 10 knows_path client2 || fail "the path stays unknown"
# A SYN that promises more than the tunnel carries, in each direction.
serve_files web "$web_address6"
on client2 ip -6 route add "$web_address6" dev qdt0 advmss 1440
watch web eth0 'ip6 and tcp port 8000'
check "a page comes" -- fetch client2 "http://[$web_address6]:8000/"
end_watch 192.0.2.1
check_contains "a SYN that leaves the tunnel has the MSS of its MTU" "$packets" 'mss 1378'
check_contains "the answer had a larger one on the cable" "$packets" 'mss 1440'
watch client2 qdt0 'ip6 and tcp src port 8000'
check "and again" -- fetch client2 "http://[$web_address6]:8000/"
end_watch 10.8.0.1
check_contains "a SYN that enters the tunnel, too" "$packets" 'mss 1378'
try web ping -c 1 -W 2 -M 'do' -s 1440 "$inner"
check_contains "a host of the world is told of the tunnel's MTU" "$output" 'mtu=1438'
stop "$client_pid"

# A client that cannot have IPv6 has IPv4 as ever.
for setting in 'mtu: 1279' 'caps: none'; do
  start_client client2 'route_mode: default' "$setting"
  check_equal "with $setting there is no IPv6 inside" "$(lease6 client2)" ""
  check "but IPv4" -- on client2 ping -c 2 -i 0.2 -W 2 "$web_address"
  try client2 ping -c 1 -W 1 "$web_address6"
  check "and IPv6 is refused at once" -- grep -qiE 'unreachable|no route' <<<"$output"
  check_lacks "no name server is pushed that is out of reach" \
    "$(cat "$(etc client2 resolv.conf)")" 2001:db8:3::53
  stop "$client_pid"
done

# A firewall for IPv6 alone.
stop "$server_pid"
on server nft add table ip6 filter
on server nft 'add chain ip6 filter FORWARD { type filter hook forward priority 0; policy drop; }'
start_server "$pool6"
check_contains "a firewall that drops IPv6 is named, with its remedy" "$(cat "$work/server.log")" \
  'ip6tables -I FORWARD -i qdt0 -j ACCEPT'
