#!/usr/bin/env bash
# Another implementation's client at our server: packets of every size, files both ways, in fragments from
# it and whole to it.
. "$(dirname "$0")/go_peer.sh"

topology
start_server
start_go_client
check_contains "it gets a lease, and no caps" "$(cat "$work/go.log")" \
  'connected: 10.8.0.2/24 gateway 10.8.0.1 mtu 1350 caps []'
on client ip route add "$web_address" dev qdt0

check_pings client 10.8.0.1 "$web_address"
check_files 10.8.0.2
check_server_dropped_nothing
check_equal "one session, one handshake" \
  "$(metric qdt_sessions_active) $(metric 'qdt_handshakes_total{result="ok"}')" "1 1"

stop "$go_pid"
check "its session ends with it" -- wait_for 5 sessions_are 0
check_go_dropped_nothing
check "its full packets came as two fragments each" -- test "$(count sent_fragments)" -gt 10000
check_equal "packets that fit came whole" \
  "$(count sent_data)" $(($(count sent_packets) - $(count sent_fragments) / 2))
check "ours came whole, longer than its own may be" -- \
  test "$(count largest_datagram_received)" -ge $((1350 + 38))  # a Ping that probes the path is longer
