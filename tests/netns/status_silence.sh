#!/usr/bin/env bash
# A server that is gone is not called connected: within 5 s while packets are sent, and within
# keepalive and some seconds while nothing is; --status says since when nobody was heard.
. "$(dirname "$0")/topology.sh"

topology
start_server 'log_level: info'
start_client client 'route_mode: cidr' 'log_level: info' 'keepalive: 3s'
status_is() { { on client "$build/qdt-client" --status --json || true; } | jq -e "$1"; }
vanish() {
  on router nft add table ip gone
  on router nft add chain ip gone drops '{ type filter hook prerouting priority 0; policy drop; }'
}
come_back() { on router nft delete table ip gone; }

on client ping -c 2 -i 0.2 -W 2 10.8.0.1 >/dev/null
check "a server that answers was heard lately" -- wait_for 5 status_is '.state == "connected" and (.heard_seconds | numbers) <= 3'

vanish
run client pings ping -i 0.2 10.8.0.1
pinging=$pid
begun=${EPOCHREALTIME/./}
wait_for 8 status_is '.state != "connected"' || fail "the client says connected"
milliseconds=$(((${EPOCHREALTIME/./} - begun) / 1000))
check "while packets are sent, it is not connected within 5 s" -- test "$milliseconds" -lt 5000
say "after $milliseconds ms"
try client "$build/qdt-client" --status
check_equal "the exit status says so" "$status" 3
come_back
check "it is connected again" -- wait_for 15 status_is '.state == "connected" and (.heard_seconds | numbers) <= 3'
kill "$pinging"
wait "$pinging" || true

# Long enough for what was under way to be answered.
sleep 1.5
vanish
check "an idle client finds out by its keepalive" -- wait_for 10 status_is '.state != "connected"'
come_back
check "it is connected again" -- wait_for 15 status_is '.state == "connected"'
stop "$client_pid"
