#!/usr/bin/env bash
# The client's control socket: status, reconnect and stop by the commands and as docs/control-client.openapi.yaml
# has them; who may ask; what a crash leaves.
. "$(dirname "$0")/topology.sh"

topology
remember client
start_server
start_client client 'route_mode: cidr'
socket="/run/qdt/qdt0.$(on client stat -Lc %i /proc/self/ns/net).client.sock"
client() { on client "$build/qdt-client" "$@"; }
has() { { client status --json || true; } | jq -e "$1"; }
works() { on client ping -c 1 -W 2 10.8.0.1; }

check "status as JSON" -- wait_for 5 has '.state == "connected" and .tun == "qdt0" and .connects == 1'
check_contains "in words" "$(client status)" "qdt0: connected for"
check_equal "--status is the same" "$(client --status --json | jq -r .state)" connected
status=0
timeout 3 ip netns exec "$(ns client)" "$build/qdt-client" status --watch --json >"$work/watch" || status=$?
check_equal "--watch goes on until it is interrupted" "$status" 124
check "and shows it again and again" -- test "$(wc -l <"$work/watch")" -ge 2
output=$(on client setpriv --reuid=65534 --regid=65534 --clear-groups "$build/qdt-client" stop 2>&1) && status=0 || status=$?
check_equal "a user without the group may not stop it" "$status" 1
check_contains "and is told who may" "$output" "root may ask, and the members of the group qdt"

check_equal "reconnect" "$(client reconnect)" "the client connects anew"
check "connects anew" -- wait_for 10 has '.state == "connected" and .connects == 2'
check "with the same address" -- works
stop "$server_pid"
wait_for 5 has '.state == "reconnecting"' || fail "it does not say that the server is gone"
start_server
client reconnect >/dev/null
check "while it waits, it tries at once" -- wait_for 10 has '.state == "connected"'

check "every call is as docs/control-client.openapi.yaml says" -- \
  on client "$here/openapi.py" "$here/../../docs/control-client.openapi.yaml" "$socket"
ended "$client_pid"
check_equal "told to stop, it ends as by a signal" "$status" 0
check "the log says who asked" -- grep -q 'qdt-client stop: stopping' "$work/client.log"
check "the socket is gone" -- test ! -e "$socket"
check_unchanged "and the host is as it was" client

start_client client 'route_mode: cidr'
check_equal "stop" "$(client stop)" "the client stops"
ended "$client_pid"
check_equal "ends it" "$status" 0
try client "$build/qdt-client" reconnect
check_equal "nobody is there to connect anew" "$status" 4
check_contains "in words" "$output" "no qdt-client runs on this host"

start_client client 'route_mode: cidr'
crash "$client_pid"
try client "$build/qdt-client" status
check_equal "of one that crashed with both processes: 4" "$status" 4
check_contains "in words" "$output" "qdt0: the client has crashed"
try client "$build/qdt-client" --cleanup
check_unchanged "--cleanup puts the host back" client
check "and takes the dead socket away" -- test ! -e "$socket"
stop "$server_pid"
