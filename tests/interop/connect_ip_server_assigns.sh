#!/usr/bin/env bash
# Our client at CONNECT-IP servers that assign addresses and advertise routes in all the ways that RFC 9484 lets
# them.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
remember client

# leased WORDS OPTION...: our client is connected to a server with these options, and packets pass.
leased() {
  start_ip_server "${@:2}"
  start_key_client "$public_lan"
  check_equal "$1: a lease of each kind" "$(lease client) $(lease6 client)" "10.8.0.2 fd00:8::2"
  check "$1: packets" -- on client ping -c 2 -i "${interval:-0.2}" -W 2 "$web_address"
  check "$1: over IPv6, too" -- on client ping -c 2 -i 0.2 -W 2 "$web_address6"
  stop "$client_pid"
  check_equal "$1: our client stops" "$status" 0
  check_unchanged "$1: it puts all back" client
  stop "$go_pid"
}
leased "unasked, without routes" -routes none
leased "unasked, with an empty list of routes" -routes ''
leased "by an answer of another success than 200" -status 201
leased "asked, with routes" -asked
check_contains "our client asked for an address of each kind" "$(cat "$work/go.log")" \
  'asked for: [0.0.0.0/32#1 ::/128#2]'
leased "asked, without routes" -asked -routes none
interval=2 leased "asked first, and unasked later" -delay 3s
check_contains "it is the same session" "$(grep -c '^session with .*\]$' "$work/go.log")" 1
leased "with routes to some networks" -routes 192.0.2.0/24,198.18.0.0/15,2001:db8:3::/64

start_ip_server -routes 192.0.2.0/24,2001:db8:3::/64
start_key_client 'route_mode: cidr'
check "the routes are taken" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
check "those of IPv6, too" -- on client ping -c 2 -i 0.2 -W 2 "$web_address6"
stop "$client_pid"
check_unchanged "it puts all back" client
