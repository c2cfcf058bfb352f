#!/usr/bin/env bash
# route_mode default without a kill switch: what insists on another device than the tunnel, or on its
# address, is refused at once; so is everything while the tunnel's device is down.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
count_around
insist client
check "without the tunnel, programs that insist on eth0 do get out" -- test "$(around)" -gt 5

start_server 'dns: []'
start_client client 'route_mode: default'
check "the tunnel carries" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
before=$(around)
insist client
check_equal "with it, not one packet of theirs" "$(($(around) - before))" 0
check "they are told at once" -- grep -qiE 'refused|not permitted|filtered|no route' "$work/insist.log"
check "what a link needs gets out: DHCP" -- on client python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.bind(("", 68))
s.sendto(b"x", ("255.255.255.255", 67))
s.sendto(b"x", ("203.0.113.1", 67))'
check "and neighbour discovery" -- on client ping -c 1 -W 2 -I eth0 "$(ip -n "$(ns router)" -6 -o address show dev cl1 scope link | sed 's/.* inet6 \([0-9a-f:]*\).*/\1/')"

ip -n "$(ns client)" link set qdt0 down
on client ping -c 5 -i 0.1 -W 0.2 "$web_address" >/dev/null 2>&1 || true
on client ping -c 5 -i 0.1 -W 0.2 "$web_address6" >/dev/null 2>&1 || true
check_equal "nor one of anybody's while the device is down" "$(($(around) - before))" 0
stop "$client_pid"
insist client
check "after an orderly end all is as before" -- test "$(($(around) - before))" -gt 5
