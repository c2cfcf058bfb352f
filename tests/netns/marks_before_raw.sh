#!/usr/bin/env bash
# Reverse path checks of the host's own firewall, in raw (as firewalld's for IPv6) and by rp_filter,
# find the tunnel's packets and inbound connections where they belong, IPv4 and IPv6.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
on client sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
on client nft -f - <<'NFT'
table inet checks {
  counter dropped { }
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
    fib saddr . mark . iif oif missing counter name dropped drop
  }
}
NFT
dropped() { on client nft list counter inet checks dropped | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }
run client page python3 -m http.server --bind :: 8080
start_server 'dns: []' 'pool_cidr6: fd00:8::/64'
for server in "$server_address" "[$server_address6]"; do
  start_client client 'route_mode: default' "server: '$server:443'"
  check "by $server, the tunnel carries IPv4" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
  check "and IPv6" -- on client ping -c 3 -i 0.2 -W 2 "$web_address6"
  check "it does after a while" -- on client ping -c 20 -i 0.05 -W 2 "$web_address"
  check "connections from outside are answered" -- fetch server -o /dev/null http://198.51.100.2:8080/
  check "over IPv6, too" -- fetch server -o /dev/null 'http://[2001:db8:1::2]:8080/'
  stop "$client_pid"
done
check_equal "not one packet failed the check" "$(dropped)" 0
