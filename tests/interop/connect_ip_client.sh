#!/usr/bin/env bash
# Another implementation's CONNECT-IP client at our server: addresses and routes, packets of every size over
# IPv4 and IPv6, 100 MB both ways.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
start_ip_gateway
start_ip_client -login "phone:$secret" -ask
log=$(cat "$work/go.log")
check_contains "it is assigned its addresses unasked" "$log" 'assigned: [10.8.0.2/32#0 fd00:8::2/128#0]'
check_contains "and told the routes" "$log" "routes: [$everything4 $everything6]"
check_contains "what it asks for is answered with the whole list, and a refusal" "$log" \
  'assigned: [10.8.0.2/32#1 fd00:8::2/128#2 0.0.0.0/32#3]'
check_equal "one session, one handshake" \
  "$(metric qdt_sessions_active) $(metric 'qdt_handshakes_total{result="ok"}')" "1 1"

check_pings client 10.8.0.1 "$web_address" "$gateway6" "$web_address6"
check_server_dropped_nothing too_big
check_files 10.8.0.2 100  # whose senders learn the rate by packets that waited too long

stop "$go_pid"
check "its session ends with it" -- wait_for 5 sessions_are 0
check_go_dropped_nothing
