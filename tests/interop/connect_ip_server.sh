#!/usr/bin/env bash
# Our client at another implementation's CONNECT-IP server: addresses, packets of every size over IPv4 and
# IPv6, 100 MB both ways.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
remember client
start_ip_server
start_key_client "$public_lan"
check_contains "it sends the request of RFC 9484" "$(cat "$work/go.log")" \
  "request: CONNECT connect-ip $server_address/.well-known/masque/ip/*/*/"
check_equal "it gets a lease of each kind" "$(lease client) $(lease6 client)" "10.8.0.2 fd00:8::2"

check_pings client 10.8.0.1 "$web_address" "$gateway6" "$web_address6"
check_files 10.8.0.2 100

stop "$client_pid"
check_equal "our client stops" "$status" 0
check_unchanged "it puts all back" client
check "the server sees it" -- wait_for 5 grep -q 'session with .10.8.0.2 .* ended' "$work/go.log"
check_go_dropped_nothing
