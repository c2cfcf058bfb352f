#!/usr/bin/env bash
# Forwarding that the server switched on is off again after its end, in every order of ends: asked
# to stop, killed and cleaned up, killed and started again. An interface that forwarded alone goes
# on, and one that listened to router advertisements listens as before.
. "$(dirname "$0")/topology.sh"

topology
pool6='pool_cidr6: fd00:8::/64'
on server sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.lan.accept_ra=1
on server sysctl -qw net.ipv4.conf.lan.forwarding=1
remember server
is_on() { on server sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding | tr '\n' ' '; }

start_server "$pool6"
check_equal "it is on while the server runs" "$(is_on)" "1 1 "
check_equal "advertisements are heard all the same" "$(on server sysctl -n net.ipv6.conf.lan.accept_ra)" 2
stop "$server_pid"
check_unchanged "after an orderly end" server

start_server "$pool6"
crash "$server_pid"
check_equal "a killed server leaves it on" "$(is_on)" "1 1 "
on server "$build/qdt-server" --cleanup >"$work/cleanup.log"
check_unchanged "after --cleanup" server
check_contains "--cleanup says so" "$(cat "$work/cleanup.log")" "sysctl net/ipv4/ip_forward put back to 0"

start_server "$pool6"
crash "$server_pid"
start_server "$pool6"
check_equal "the next server needs it" "$(is_on)" "1 1 "
stop "$server_pid"
check_unchanged "after the end of the next one" server

start_server "$pool6"
on server sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding >"$work/read"
stop "$server_pid"
check_unchanged "reading the settings is no sign of a wish" server
