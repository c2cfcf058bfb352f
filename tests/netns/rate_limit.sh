#!/usr/bin/env bash
# rate_limit: so many inner packets per second of one session, in each direction; others do not feel
# it.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'rate_limit: {pps: 10, burst: 20}'
start_client client2 'route_mode: cidr'
start_client client 'route_mode: cidr'

dropped() { metric 'qdt_drops_total{reason="rate_limited"}'; }

# flooded HOST ADDRESS: of 400 pings about the burst and the rate pass, and the rest is counted.
flooded() {
  local before begun=${EPOCHREALTIME/./} answered most
  before=$(dropped)
  answered=$(on "$1" ping -q -c 400 -i 0.005 -W 1 "$2" | sed -n 's/.* \([0-9]*\) received.*/\1/p')
  most=$((20 + 10 * (${EPOCHREALTIME/./} - begun) / 1000000 + 5))
  check "the burst passes ($answered of 400)" -- test "$answered" -ge 20
  check "and no more than the rate (at most $most)" -- test "$answered" -le "$most"
  check "the others are counted" -- test $(($(dropped) - before)) -ge $((400 - most))
}

ping_steadily client2 10.8.0.1 0.3
flooded client 10.8.0.1
stop "$client_pid"
start_client client 'route_mode: cidr'  # a session has its own burst
flooded server "$(lease client)"
check_steady "the other client lost nothing"
