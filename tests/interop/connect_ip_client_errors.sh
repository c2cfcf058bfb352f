#!/usr/bin/env bash
# Another implementation's CONNECT-IP client at our server: packets that go nowhere are answered with ICMP in the
# session that they came by (RFC 9484 section 8), and nothing of them gets out.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
start_ip_gateway 'client_to_client: true'
start_ip_client -key "$private_key"
ip -n "$(ns client)" address add 10.8.0.77/32 dev lo
ip -n "$(ns client)" address add fd00:8::77/128 dev lo

# is_told WORDS TEXT PING-OPTION...: a ping fails with this text, an extended regular expression.
is_told() {
  try client ping -c 3 -i 0.3 -W 1 "${@:3}"
  [ "$status" -ne 0 ] || fail "$1: a ping came back"
  grep -qE "$2" <<<"$output" || fail "$1: ping said: $output"
  say "ok: $1"
}
watch server qdt0 'src host 10.8.0.77 or src host fd00:8::77'
is_told "a source that is not the lease is told of" 'Packet filtered' -I 10.8.0.77 10.8.0.1
is_told "whatever it sends to" 'Packet filtered' -I 10.8.0.77 "$web_address"
is_told "over IPv6, too" 'Unknown code 5|failed ingress/egress policy' -I fd00:8::77 "$gateway6"
end_watch 10.8.0.2
check_equal "none of that reaches the server's host" "$packets" ""

is_told "an address that nobody has is told of" 'Destination Net Unreachable' 10.8.0.99
is_told "over IPv6, too" 'No route' fd00:8::99
ip -n "$(ns server)" route add unreachable 198.51.77.0/24
ip -n "$(ns client)" route add 198.51.77.0/24 dev qdt0
is_told "so is what the server's host has no route to" 'Unreachable' 198.51.77.1
check "from the lease, packets pass" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
