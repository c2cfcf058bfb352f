#!/usr/bin/env bash
# The server tells a client of no "shorter way" to another client (ICMP redirect, IPv6 too): the
# only way is the tunnel. The setting is put back at the end.
. "$(dirname "$0")/topology.sh"

topology 2
on server sysctl -qw net.ipv4.conf.all.send_redirects=1 net.ipv4.conf.default.send_redirects=1
start_server 'pool_cidr6: fd00:8::/64'
start_client client 'route_mode: cidr'
start_client client2 'route_mode: cidr'
on client nft -f - <<'NFT'
table inet seen {
  counter redirects { }
  chain input {
    type filter hook input priority -200;
    icmp type redirect counter name redirects
    icmpv6 type nd-redirect counter name redirects
  }
}
NFT
redirects() { on client nft list counter inet seen redirects | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }

check "one client reaches the other" -- on client ping -n -q -c 5 -i 0.2 -W 2 "$(lease client2)"
check "over IPv6, too" -- on client ping -n -q -c 5 -i 0.2 -W 2 "$(lease6 client2)"
check_equal "no redirect came" "$(redirects)" 0
on server sysctl -qw net.ipv4.conf.all.send_redirects=1 net.ipv4.conf.qdt0.send_redirects=1
check "somebody switches redirects on" -- on client ping -n -q -c 5 -i 0.2 -W 2 "$(lease client2)"
check_equal "still none came" "$(redirects)" 0
on server sysctl -qw net.ipv4.conf.all.send_redirects=0
stop "$server_pid"
check_equal "the host's setting is put back" "$(on server sysctl -n net.ipv4.conf.all.send_redirects)" 1
