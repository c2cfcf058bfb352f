#!/usr/bin/env bash
# A client that is killed cuts nobody off who asked for no kill switch: its guard goes with it, also
# where a program that it started lives on.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
cat >"$work/up" <<'END'
#!/bin/sh
sleep 60 >/dev/null 2>&1 &
END
chmod +x "$work/up"
start_server 'dns: []'
start_client client 'route_mode: default' "up: [$work/up]"
reaches() { on client ping -c 1 -W 1 -I eth0 "$server_address"; }
try client ping -c 1 -W 0.3 -I eth0 "$server_address"
check "the guard is up" -- test "$status" -ne 0
on client ping -c 2 -i 0.2 -W 0.3 -I eth0 "$web_address" >/dev/null 2>&1 || true
stop "$client_pid" KILL
check "after kill -9 eth0 is free" -- wait_for 3 reaches
check "and the world is there without it" -- wait_for 3 on client ping -c 1 -W 1 "$server_address"
check_lacks "nothing of the guard is left" "$(on client nft list ruleset)" guard
