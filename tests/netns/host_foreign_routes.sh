#!/usr/bin/env bash
# Somebody puts routes past the tunnel into the client's own table. The guard refuses what they
# send elsewhere, and within seconds they are gone: not one packet goes around the tunnel, and all
# destinations are reached again.
. "$(dirname "$0")/topology.sh"

topology
table=5325908
router=$(ip -n "$(ns client)" route show default | awk '{ print $3; exit }')
device=$(ip -n "$(ns client)" route show default | awk '{ print $5; exit }')
count_around
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }
routes() { ip -n "$(ns client)" route show table "$table"; }
has_foreign() { routes | grep -vq -e 'proto 81' -e blackhole; }
has_none() { ! has_foreign; }
add() { # ROUTE...
  ip -n "$(ns client)" route add table "$table" "$@"
}

start_server
start_client client 'route_mode: default'
check "the web is there" -- wait_for 5 carries
run client pinger ping -n -q -i 0.02 "$web_address"
add 192.0.2.0/24 via "$router" dev "$device"
check "a route to a network goes" -- wait_for 5 has_none
check "the web is there again" -- wait_for 5 carries
add throw 192.0.2.0/25
check "a route that passes over the table goes" -- wait_for 5 has_none
add 192.0.2.80 nexthop via "$router" dev "$device" nexthop via "$router" dev "$device" weight 2
check "a route over two ways goes" -- wait_for 5 has_none
check "the web is there once more" -- wait_for 5 carries
add blackhole 198.18.0.0/15
sleep 2.5
check "a route that refuses stays" -- eval 'routes | grep -q blackhole'
check_equal "nothing went around the tunnel" "$(around)" 0
