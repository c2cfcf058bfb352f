#!/usr/bin/env bash
# Somebody else's device takes the name of the client's: the client cannot put that back, says
# "degraded" with the reason, lets nothing around the tunnel, and is connected again afterwards.
. "$(dirname "$0")/topology.sh"

topology
count_around
start_server
start_client client 'route_mode: default'
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }
is_state() { { on client "$build/qdt-client" --status --json || true; } | grep -q "\"state\":\"$1\""; }
check "the web is there" -- wait_for 5 carries
kill -STOP "$client_pid"
ip -n "$(ns client)" link delete qdt0
ip -n "$(ns client)" link add qdt0 type veth peer name other0
kill -CONT "$client_pid"
check "the client is degraded" -- wait_for 4 is_state degraded
carries && fail "packets pass"
try client "$build/qdt-client" --status
check_equal "--status tells by its exit status" "$status" 5
check_contains "and why" "$output" "a network interface of this name exists"
check_contains "the log tells once" "$(grep -c 'degraded: ' "$work/client.log")" 1
ip -n "$(ns client)" link delete qdt0
check "it is connected again" -- wait_for 5 is_state connected
check "the web is there again" -- wait_for 5 carries
check_equal "nothing went around the tunnel" "$(around)" 0
