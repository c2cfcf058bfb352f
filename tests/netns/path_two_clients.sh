#!/usr/bin/env bash
# One client downloads as fast as it can; another, on a short way of its own, asks ten times a second
# and is answered as if it were alone.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology 2
bad_path --rate 100M --delay 20ms
start_server 'host_access: all'
start_client client "route_mode: cidr"
start_client client2 "route_mode: cidr"

alone=$(ping_p95 client2 30 0.1)
run server iperf iperf3 -s -B 10.8.0.1
wait_for 5 is_listening || fail "iperf3 does not listen"
run client transfer iperf3 -c 10.8.0.1 -t 6 -R --omit 1 --json
transfer=$pid
sleep 2
beside=$(ping_p95 client2 40 0.1)
rate=$(uploaded "$transfer")
check "another's download costs a request no 50 ms more than the $alone of alone ($beside)" -- \
  exceeds_by_at_most "$beside" "$alone" 50
check "the download is one ($rate Mbit/s of 100)" -- is_at_least "$rate" 30
