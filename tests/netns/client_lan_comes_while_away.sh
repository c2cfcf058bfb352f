#!/usr/bin/env bash
# The client comes to a LAN with the addresses of the server's pool while it has no session: once it is
# connected again, with the same lease, the LAN is reached, as if it had come before or during a session.
. "$(dirname "$0")/topology.sh"

topology
start_server 'dns: []'
start_client client 'route_mode: default'
before=$(lease client)
reaches() { on client ping -n -q -c 1 -W 1 "$1"; }
on router nft add table ip gone
on router nft add chain ip gone drops '{ type filter hook prerouting priority 0; policy accept; }'
on router nft add rule ip gone drops udp sport 443 drop
on client ping -n -q -c 8 -i 0.5 -W 1 "$web_address" >/dev/null || true
check "the session is lost" -- wait_for 10 grep -q 'reconnecting: the connection was lost' "$work/client.log"
ip -n "$(ns router)" address add 10.8.0.1/24 dev cl1
ip -n "$(ns client)" address add 10.8.0.77/24 dev eth0
sleep 0.3
: >"$work/client.log"
on router nft delete table ip gone
check "it is connected again" -- wait_for 15 grep -q 'connected: this host is' "$work/client.log"
check_equal "with the same lease" "$(lease client)" "$before"
check "the tunnel works" -- wait_for 5 reaches "$web_address"
check "and the LAN's router is reached" -- wait_for 3 reaches 10.8.0.1
check_contains "it is the LAN's, not the tunnel's" \
  "$(ip -n "$(ns client)" neighbour show 10.8.0.1 dev eth0)" lladdr
