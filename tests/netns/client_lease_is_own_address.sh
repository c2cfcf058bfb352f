#!/usr/bin/env bash
# The server lends an address that the client's host has on another device: the client asks for
# another lease and works, in every route mode, also when that comes later, in a LAN that it roams
# into. A server that has no other is answered with a message, and nothing is touched.
. "$(dirname "$0")/topology.sh"

topology
own() { ip -n "$(ns client)" link add "$1" type bridge; ip -n "$(ns client)" address add "$2" dev "$1"; }
own other0 10.8.0.2/32
own other1 10.8.0.3/32
start_server 'handshake_ip_rate: {pps: 0}' 'dns: []' 'pool_cidr6: fd00:8::/64'
sessions() { metric qdt_sessions_active; }

start_client client
has_one_shard && check_equal "the client has the first address that is not its own" "$(lease client)" 10.8.0.4
check "it works" -- on client ping -n -q -c 2 -i 0.2 -W 2 "$web_address"
has_one_shard && check_contains "the log says why" "$(cat "$work/client.log")" \
  "the server lends 10.8.0.2, which is this host's own address on other0; another address is asked for"
one_session() { [ "$(sessions)" = 1 ]; }
check "the server has one session" -- wait_for 5 one_session
stop "$client_pid"

start_client client 'route_mode: none'
check "without routes, too" -- on client ping -n -q -c 2 -i 0.2 -W 2 -I qdt0 10.8.0.1
stop "$client_pid"
ip -n "$(ns client)" link del other1
ip -n "$(ns client)" link del other0

# The client roams into a LAN that has the pool's addresses, and is given its own lease there.
start_client client
before=$(lease client)
ip -n "$(ns router)" address add 10.8.0.1/24 dev cl1
ip -n "$(ns client)" address add "$before/24" dev eth0
has_another() { [ -n "$(lease client)" ] && [ "$(lease client)" != "$before" ]; }
check "the LAN gives the client the lease's address: it has another lease" -- wait_for 10 has_another
check "the tunnel works" -- wait_for 5 on client ping -n -q -c 2 -i 0.2 -W 2 "$web_address"
check "and the LAN" -- on client ping -n -q -c 2 -i 0.2 -W 2 10.8.0.1
stop "$client_pid"
ip -n "$(ns client)" address del "$before/24" dev eth0
ip -n "$(ns router)" address del 10.8.0.1/24 dev cl1
stop "$server_pid"

start_server 'handshake_ip_rate: {pps: 0}' 'pool_cidr: 10.8.0.0/30'
own other0 10.8.0.2/32
remember client
try_client client
check_equal "without another address, the client ends: this host" "$status" 1
check_contains "it says why" "$output" "the server lends 10.8.0.2, which is this host's own address on other0"
check_contains "and what to change" "$output" "change pool_cidr at the server, or that address"
check_unchanged "nothing was touched" client
