#!/usr/bin/env bash
# Somebody puts routes for much of the world into the tunnel's own table: through another device, or
# refusing. They go within seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"

topology
count_around
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }

start_server 'pool_cidr6: fd00:8::/64'
start_client client 'route_mode: default'
check "the web is there" -- wait_for 5 carries
run client pinger ping -n -q -i 0.02 "$web_address"
table=$(on client ip route show table all | sed -n 's/^default dev qdt0 .*table \([0-9]*\).*/\1/p' | head -n 1)
foreign() { on client ip "$1" route show table "$table" | grep -v 'proto 81' | sed 's/ *$//'; }
is_clean() { [ -z "$(foreign -4)$(foreign -6)" ]; }
for route in '128.0.0.0/1 via 198.51.100.1' 'unreachable 192.0.0.0/2' 'blackhole 128.0.0.0/1' \
  '0.0.0.0/0 via 198.51.100.1 metric 7' '2000::/3 dev eth0' 'unreachable 2000::/3 metric 1'; do
  # shellcheck disable=SC2086  # words
  on client ip route add $route table "$table"
  check "$route goes" -- wait_for 5 is_clean
  check "the web is there again" -- wait_for 5 carries
done
check "the client did not stop" -- kill -0 "$client_pid"
check_equal "nothing went around the tunnel" "$(around)" 0
