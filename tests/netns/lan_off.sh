#!/usr/bin/env bash
# lan: off takes the private networks into the tunnel as well, and local multicast; exclude stays.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
add_lan
ip -n "$(ns client)" address add 192.168.79.2/24 dev eth0
ip -n "$(ns router)" address add 192.168.79.1/24 dev cl1
start_server 'dns: []'
start_client client 'route_mode: default' 'lan: off' 'exclude: [192.168.79.0/24]'
check_contains "the private LAN is inside" "$(route "$lan_address")" 'dev qdt0'
watch router cl1 "src host 192.168.77.2 or (ip6 and udp)"
on client python3 -c 'import socket
def attempt(family, source, option, value, *to):
    for address in to:
        s = socket.socket(family, socket.SOCK_DGRAM)
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.setsockopt(*option, value)
            if source: s.bind((source, 0))
            s.sendto(b"x", (address, 5000))
        except OSError as error: print(address, error)
attempt(socket.AF_INET, "192.168.77.2", (socket.IPPROTO_IP, socket.IP_MULTICAST_IF), socket.inet_aton("192.168.77.2"),
        "224.0.0.251", "239.255.255.250", "192.168.77.255", "192.168.77.1", "255.255.255.255")
attempt(socket.AF_INET6, "", (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF), socket.if_nametoindex("eth0"), "ff02::fb")
attempt(socket.AF_INET, "192.168.77.2", (socket.SOL_SOCKET, socket.SO_BINDTODEVICE), b"eth0", "192.168.77.1")' >"$work/tries.log" 2>&1
end_watch 192.168.77.2
check_equal "not one packet goes to it" "$packets" ""
check "what is excluded is there" -- on client ping -c 2 -i 0.2 -W 1 192.168.79.1
check "the tunnel carries" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
