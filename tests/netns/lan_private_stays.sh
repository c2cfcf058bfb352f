#!/usr/bin/env bash
# route_mode default leaves the private networks outside that the host is in: their hosts, their
# broadcasts and their multicast.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
add_lan
start_server 'dns: []'
start_client client 'route_mode: default'
check_contains "the private LAN is outside" "$(route "$lan_address")" 'dev eth0'
check "and there" -- on client ping -c 2 -i 0.2 -W 1 "$lan_address"
check "the log names it" -- logged 'outside of qdt0: 192.168.77.0/24, fe80::/64'
check_contains "a host of its kind that is not in it is inside" "$(route 192.168.78.1)" 'dev qdt0'
watch router cl1 "src host 192.168.77.2 or ip6 multicast"
on client python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.168.77.2"))
s.bind(("192.168.77.2", 0))
for to in ("192.168.77.255", 5000), ("224.0.0.251", 5353), ("239.255.255.250", 1900): s.sendto(b"x", to)
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
s.sendto(b"x", ("ff02::fb", 5353))'
end_watch 192.168.77.2
for to in 192.168.77.255.5000 224.0.0.251.5353 239.255.255.250.1900 ff02::fb.5353; do
  check_contains "what is for $to is there" "$packets" "$to"
done
