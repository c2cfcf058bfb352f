#!/usr/bin/env bash
# A router advertisement takes nothing out of a tunnel that takes everything: no prefix that it calls
# on-link (2000::/3, a /64), no route (RFC 4191), no flood of either.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

cat >"$work/advertise.py" <<'END'
import socket, struct, sys
def prefix(text, length, flags):
    return struct.pack(">BBBBIII", 3, 4, length, flags, 3600, 3600, 0) + socket.inet_pton(socket.AF_INET6, text)
def route(text, length):
    return struct.pack(">BBBBI", 24, 3, length, 8, 3600) + socket.inet_pton(socket.AF_INET6, text)
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("cl1"))
head = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
def send(options): s.sendto(head + options, ("ff02::1", 0))
send(prefix("2000::", 3, 0x80) + prefix("2001:db8:3::", 64, 0x80) + route("2001:db8:3::", 64) +
     route("::", 1) + prefix("fd77::", 64, 0x80))
for i in range(int(sys.argv[1])):
    send(prefix("fd%02x:%x::" % (i % 200, i), 64, 0x80))
END

topology
on client sysctl -qw net.ipv6.conf.eth0.accept_ra=2
# Not all kernels know route information options, or take them by default.
on client sysctl -qw net.ipv6.conf.eth0.accept_ra_rt_info_max_plen=128 2>/dev/null || true
ip -n "$(ns router)" -6 address add "$web_address6/128" dev cl1
count_around
start_server 'dns: []'
start_client client 'route_mode: default'
on router python3 "$work/advertise.py" 0
on_link() { ip -n "$(ns client)" -6 route | grep -q '^2000::/3'; }
check "the kernel took the advertisement" -- wait_for 5 on_link
talk() {
  on client ping -c 5 -i 0.1 -W 0.3 "$web_address6" >/dev/null 2>&1 || true
  on client bash -c "echo x >/dev/udp/$web_address6/5000" 2>/dev/null || true
}
talk
check "the log names what does not count" -- wait_for 5 logged 'route 2000::/3 dev eth0 does not count'
talk
check_equal "not one packet went to the LAN" "$(around)" 0
check "a private prefix is a LAN" -- wait_for 5 logged 'fd77::/64'
on router python3 "$work/advertise.py" 300
check "a flood of them is bounded" -- wait_for 5 logged 'too many routes'
check "there are no more exceptions than that" -- test \
  "$(ip -n "$(ns client)" -6 route show table 5325908 | grep -c throw)" -le 64
check "and the one that was there has its place" -- grep -q "dev eth0" <<<"$(route fd77::1)"
check "IPv4 goes through the tunnel meanwhile" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
