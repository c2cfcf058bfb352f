#!/usr/bin/env bash
# Somebody sets the client's device down and up. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"

topology
count_around
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }

start_server
start_client client 'route_mode: default'
check "the web is there" -- wait_for 5 carries
run client pinger ping -n -q -i 0.02 "$web_address"
ip -n "$(ns client)" link set qdt0 down
ip -n "$(ns client)" link set qdt0 up
wait_for 5 grep -qE 'put back: .*route 0.0.0.0/0' "$work/client.log" || fail "nothing was put back"
check "the web is there again" -- wait_for 5 carries
sleep 1
check "the client did not stop" -- kill -0 "$client_pid"
check_equal "nothing went around the tunnel" "$(around)" 0
