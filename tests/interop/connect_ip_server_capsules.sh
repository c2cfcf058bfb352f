#!/usr/bin/env bash
# Another implementation's CONNECT-IP server sends our client capsules as hardly one does: byte by byte, with
# unknown ones in between, packets in DATAGRAM capsules, and at last wrong ones.
. "$(dirname "$0")/connect_ip_peer.sh"

topology

# carried WORDS OPTION...
carried() {
  start_ip_server "${@:2}"
  start_key_client
  check "$1: packets" -- on client ping -c 3 -i 0.2 -W 4 -s 1000 10.8.0.1
  check "$1: over IPv6, too" -- on client ping -c 3 -i 0.2 -W 4 -s 1000 "$gateway6"
  stop "$client_pid"
  check_equal "$1: our client stops" "$status" 0
  stop "$go_pid"
  check_go_dropped_nothing
}
carried "DATA frames of one byte" -piece 1
carried "unknown capsules without content" -unknown 0
carried "unknown capsules of 100,000 bytes" -unknown 100000
carried "unknown capsules byte by byte, asked" -unknown 600 -piece 1 -asked
carried "packets in DATAGRAM capsules" -datagram-capsules
carried "DATAGRAM capsules byte by byte, behind unknown ones" -datagram-capsules -piece 1 -unknown 30
carried "ADDRESS_REQUEST from a server" -raw '02 0e 01 04 c0000200 18  02 04 00000000 20'
check_contains "it is answered: this client assigns nothing" "$(cat "$work/go.log")" \
  'the client assigns: [0.0.0.0/32#1 0.0.0.0/32#2]'

# ends WORDS HEX: our client ends the session with H3_MESSAGE_ERROR (0x10e).
ends() {
  start_ip_server -raw "$2"
  run_client client '#token:' "key: \"$private_key\""
  check "$1: the session ends, with the code of a malformed message" -- \
    wait_for 10 grep -q "session with .* ended: .* 0x10e " "$work/go.log"
  stop "$client_pid"
  stop "$go_pid"
}
ends "a prefix of 33 bits" '01 07 00 04 c0000200 21'
ends "a route that ends before it begins" '03 0a 04 c0000201 c0000200 00'
ends "a capsule that is longer than any of its kind" '01 80010000 00'
