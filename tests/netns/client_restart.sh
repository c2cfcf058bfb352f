#!/usr/bin/env bash
# A client that is killed and started again has its address, and the connections inside the tunnel go
# on. Its right to the address is for its server alone, and a damaged note of it does no harm.
. "$(dirname "$0")/topology.sh"

topology 2
start_server
start_client client 'route_mode: cidr'
address=$(lease client)
note=$(ls "/run/qdt/qdt0.$(stat -Lc %i "/run/netns/$(ns client)").resume")
check_equal "the note is its owner's alone" "$(stat -c %a "$note")" 600

stop "$client_pid" KILL
start_client client2 'route_mode: cidr'
check "somebody else gets another address" -- test "$(lease client2)" != "$address"
start_client client 'route_mode: cidr'
check_equal "after kill -9 the client has its address again" "$(lease client)" "$address"
check "it works" -- on client ping -c 3 -i 0.2 -W 2 10.8.0.1
stop "$client_pid"
start_client client 'route_mode: cidr'
check_equal "after an orderly stop as well" "$(lease client)" "$address"

stop "$client_pid"
echo rubbish >"$note"
start_client client 'route_mode: cidr'
check_contains "a damaged note is reported" "$(cat "$work/client.log")" 'is damaged: the server will lend'
stop "$client_pid"
