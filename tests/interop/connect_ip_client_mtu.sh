#!/usr/bin/env bash
# Another implementation's CONNECT-IP client at our server, over a path that carries less than Ethernet and says
# nothing about it: whoever sends packets that are too large is told (RFC 9484 section 8), and TCP flows.
. "$(dirname "$0")/connect_ip_peer.sh"
. "$(dirname "$0")/../netns/link.sh"

topology
on server sysctl -qw net.ipv4.ip_forward=1
emulate --rate 100M --delay 1ms --queue 50ms --max-packet 1400
start_ip_gateway 'nat: {inbound: allow, ipv6: off}'
start_ip_client -key "$private_key" -packet 1300 -mtu 1280
ip -n "$(ns web)" route add 10.8.0.0/24 via 192.0.2.1

# tells WORDS ADDRESS SIZE TEXT: a packet of 1400 bytes that may not be cut is answered with what fits: $mtu.
# Not before the server has found out what the path carries.
tells() {
  wait_for 15 is_told "${@:2}" || fail "$1: ping said: $output"
  say "ok: $1"
  mtu=$(grep -m 1 "$4" <<<"$output" | sed 's/.*mtu *= *\([0-9]*\).*/\1/')
}
is_told() {
  try web ping -c 2 -i 0.3 -W 1 -M 'do' -s "$2" "$1"
  grep "$3" <<<"$output"
}
tells "a host of the world is told what fits" 10.8.0.2 1372 'Frag needed'
check "which is $mtu bytes" -- test "$mtu" -ge 1280 -a "$mtu" -lt 1400
check "so many pass" -- on web ping -c 3 -i 0.2 -W 2 -M 'do' -s $((mtu - 28)) 10.8.0.2
tells "over IPv6, too" fd00:8::2 1352 'Packet too big'
check "which is $mtu bytes" -- test "$mtu" -ge 1280 -a "$mtu" -lt 1400
check "so many pass" -- on web ping -c 3 -i 0.2 -W 2 -M 'do' -s $((mtu - 48)) fd00:8::2
check "our server counts them" -- test "$(metric 'qdt_drops_total{reason="too_big"}')" -ge 1
check "what may be cut passes" -- on web ping -c 3 -i 0.2 -W 2 -M dont -s 3000 10.8.0.2
check_files 10.8.0.2
