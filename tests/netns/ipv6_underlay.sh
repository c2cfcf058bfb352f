#!/usr/bin/env bash
# The server is reached over IPv6: by its address, and by a name that has no other.
. "$(dirname "$0")/topology.sh"

topology
echo "$server_address6 vpn.test" >>"$(etc client hosts)"
start_server

for server in "'[$server_address6]:443'" vpn.test; do
  start_client client "server: $server"
  for size in 56 1400 4000; do
    check "$size bytes to the world by way of $server" -- \
      on client ping -c 3 -i 0.2 -W 2 -s "$size" "$web_address"
  done
  check_contains "the server saw the client's IPv6 address" "$(cat "$work/server.log")" \
    'from [2001:db8:1::2]:'
  stop "$client_pid"
  : >"$work/server.log"
done

# IPv6 inside and outside at once: the tunnel's own packets stay outside whatever goes in.
stop "$server_pid"
start_server 'pool_cidr6: fd00:8::/64'
for mode in default cidr none; do
  start_client client "server: '[$server_address6]:443'" "route_mode: $mode"
  [ "$mode" != none ] || on client ip -6 route add fd00:8::/64 dev qdt0
  check "with route_mode $mode, IPv6 by way of IPv6" -- \
    on client ping -c 3 -i 0.2 -W 2 -s 1400 fd00:8::1
  check "the server's own address answers, too" -- \
    on client ping -c 2 -i 0.2 -W 2 "$server_address6"
  stop "$client_pid"
done
