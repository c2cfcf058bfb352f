#!/usr/bin/env bash
# A network that claims public addresses is no LAN to a tunnel that takes everything (TunnelCrack's
# LocalNet): they go into it, which is said once, and named in the status.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
count_around
start_server 'dns: []'
start_client client 'route_mode: default'
check_contains "the LAN that was there, with public addresses" "$(route 198.51.100.1)" 'dev qdt0'
ip -n "$(ns client)" address add 192.0.2.77/24 dev eth0
ip -n "$(ns router)" address add 192.0.2.99/24 dev cl1
check "the log names it" -- wait_for 5 logged 'route 192.0.2.0/24 dev eth0 does not count'
check_contains "one that comes later" "$(route "$web_address" from 10.8.0.2)" 'dev qdt0'
on client ping -c 5 -i 0.1 -W 0.3 -I 10.8.0.2 "$web_address" >/dev/null || true
on client ping -c 5 -i 0.1 -W 0.3 "$web_address" >/dev/null || true
insist client
check_equal "not one packet of its hosts' goes there" "$(around)" 0
sleep 3  # as much as to look again
check_equal "it is said once" "$(grep -c '192.0.2.0/24 dev eth0 does not count' "$work/client.log")" 1
status_has() { on client "$build/qdt-client" --status "${@:2}" | grep -qF "$1"; }
check "the status names it" -- wait_for 5 status_has '192.0.2.0/24 dev eth0'
check "also as JSON" -- status_has '"192.0.2.0/24 dev eth0"' --json
