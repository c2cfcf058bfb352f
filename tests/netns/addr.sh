#!/usr/bin/env bash
# addr: on which addresses and port the server is reached; it answers from the one that was asked.
. "$(dirname "$0")/topology.sh"

topology
ip -n "$(ns server)" address add 203.0.113.3/24 dev wan

# reached ADDR SERVER: with addr ADDR, a client reaches SERVER.
reached() {
  start_server "addr: \"$1\""
  start_client client "server: \"$2\""
  check "addr $1 is reached as $2" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
  stop "$client_pid"
  stop "$server_pid"
}
reached :443 "$server_address:443"
reached :443 "$server_address"
reached :443 203.0.113.3:443
reached :443 "[$server_address6]:443"
reached :4443 "$server_address:4443"
reached "$server_address:443" "$server_address:443"
reached "[$server_address6]:443" "[$server_address6]:443"

start_server "addr: $server_address:443"
try_client client 'server: 203.0.113.3:443' 'timeout: 1s'
check_equal "at another address there is nobody" "$status" 3
