#!/usr/bin/env bash
# Another implementation's CONNECT-IP client sends our server capsules as hardly one does: byte by byte, with
# unknown ones in between, packets in DATAGRAM capsules, and at last wrong ones.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
start_ip_gateway

# carried WORDS OPTION...: the client is answered what it asks for, and packets pass.
carried() {
  start_ip_client -key "$private_key" -ask "${@:2}"
  check_contains "$1: its request is answered" "$(cat "$work/go.log")" '/128#2 0.0.0.0/32#3]'
  check "$1: packets" -- on client ping -c 3 -i 0.2 -W 4 -s 1000 10.8.0.1
  check "$1: over IPv6, too" -- on client ping -c 3 -i 0.2 -W 4 -s 1000 "$gateway6"
  stop "$go_pid"
  check_go_dropped_nothing
  wait_for 5 sessions_are 0 || fail "its session stays"
}
carried "DATA frames of one byte" -piece 1
carried "unknown capsules without content" -unknown 0
carried "unknown capsules of 100,000 bytes" -unknown 100000
carried "unknown capsules byte by byte" -unknown 600 -piece 1
carried "packets in DATAGRAM capsules" -datagram-capsules
carried "DATAGRAM capsules byte by byte, behind unknown ones" -datagram-capsules -piece 1 -unknown 30
carried "ADDRESS_ASSIGN and ROUTE_ADVERTISEMENT from a client" \
  -raw '01 07 00 04 c0000200 18  03 0a 04 c0000200 c00002ff 00'
check_server_dropped_nothing

# ends WORDS HEX: the session ends with H3_MESSAGE_ERROR.
ends() {
  run_ip_client -key "$private_key" -raw "$2"
  ended "$go_pid" 15
  check_equal "$1: the session ends" "$status" 3
  check_contains "$1: with the code of a malformed message" "$(cat "$work/go.log")" H3_MESSAGE_ERROR
  check "$1: at the server, too" -- wait_for 5 sessions_are 0
}
ends "a prefix of 33 bits" '01 07 00 04 c0000200 21'
ends "a request that uses an ID twice" '02 0e 05 04 00000000 20  05 04 00000000 20'
ends "a route that ends before it begins" '03 0a 04 c0000201 c0000200 00'
ends "a capsule that is longer than any of its kind" '02 80010000 00'
