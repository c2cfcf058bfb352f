#!/usr/bin/env bash
# Somebody flushes the addresses of the server's device. It is put back within seconds,
# is counted, and sessions go on.
. "$(dirname "$0")/topology.sh"

topology
start_server
start_client client 'route_mode: default'
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }
check "the web is there" -- wait_for 5 carries
ip -n "$(ns server)" address flush dev qdt0
is_counted() { [ "$(metric 'qdt_host_repairs_total{part="address"}')" -ge 1 ]; }
check "it is put back and counted" -- wait_for 5 is_counted
check "the web is there again" -- wait_for 5 carries
check_equal "the server is ready" "$(fetch server http://127.0.0.1:9436/healthz)" ok
check_equal "the session went on" "$(metric 'qdt_handshakes_total{result="ok"}')" 1
