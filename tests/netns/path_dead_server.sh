#!/usr/bin/env bash
# The server is gone without a word: the client's status says "connected" no more within 5 s while
# packets are sent, and within the keepalive and some round trips while none are.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology
bad_path --delay 25ms
start_server
is_not_connected() { ! on client "$build/qdt-client" --status --json | grep -q '"state":"connected"'; }
# vanish SECONDS: the path carries nothing any more; the status has to tell within so long.
vanish() {
  local begun=${EPOCHREALTIME/./}
  change_path "--loss 1"
  wait_for 15 is_not_connected || fail "the status says connected for ever"
  local took=$(((${EPOCHREALTIME/./} - begun) / 1000))
  check "$plane: the status tells after $took ms" -- test "$took" -lt "$(($1 * 1000))"
  change_path "--loss 0"
}
for plane in auto quic; do
  start_client client 'route_mode: cidr' "data_plane: $plane" 'keepalive: 1s'
  run client ping ping -n -i 0.1 10.8.0.1
  ping_pid=$pid
  sleep 2
  vanish 5
  stop "$ping_pid" INT
  check "$plane: it comes back" -- wait_for 10 on client ping -n -q -c 1 -W 1 10.8.0.1
  [ "$plane" = quic ] || vanish 6
  stop "$client_pid"
done
