#!/usr/bin/env bash
# Somebody flushes the device's routes in all tables, the kernel's table of local addresses among
# them: the addresses are there, but no packet for them arrives. They are put back within seconds on
# both sides.
. "$(dirname "$0")/topology.sh"

topology
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }
carries6() { on client ping -n -q -c 1 -W 0.5 2001:db8:3::80; }
flush() { # HOST
  ip -n "$(ns "$1")" route flush dev qdt0 table all
  ip -n "$(ns "$1")" -6 route flush dev qdt0 table all
}

start_server 'pool_cidr6: fd12:3456:789a::/64'
start_client client 'route_mode: default'
check "the web is there" -- wait_for 5 carries
check "the web is there by IPv6" -- wait_for 5 carries6
for host in client server; do
  flush "$host"
  wait_for 5 grep -qE 'put back: .*address 10.8.0' "$work/$host.log" ||
    fail "$host: nothing was put back"
  check "$host: the web is there again" -- wait_for 5 carries
  check "$host: the web is there again by IPv6" -- wait_for 5 carries6
done
stop "$client_pid"
check_equal "no local route is left" "$(ip -n "$(ns client)" -6 route show table local |
  grep -c fd12:3456:789a)" 0
