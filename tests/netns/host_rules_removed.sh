#!/usr/bin/env bash
# Somebody flushes the routing rules of others. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"

topology
count_around
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }

start_server
start_client client 'route_mode: default'
check "the web is there" -- wait_for 5 carries
run client pinger ping -n -q -i 0.02 "$web_address"
ip -n "$(ns client)" rule delete priority 20804
ip -n "$(ns client)" rule delete priority 20805
wait_for 5 grep -qE 'put back: .*rule 2080' "$work/client.log" || fail "nothing was put back"
check "the web is there again" -- wait_for 5 carries
sleep 1
check "the client did not stop" -- kill -0 "$client_pid"
check_equal "nothing went around the tunnel" "$(around)" 0
