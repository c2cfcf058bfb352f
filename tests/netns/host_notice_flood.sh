#!/usr/bin/env bash
# A host whose routes change a thousand times a second: looking after the tunnel costs little, and
# what somebody removes meanwhile is put back.
. "$(dirname "$0")/topology.sh"

topology
start_server
start_client client 'route_mode: default'
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }
check "the web is there" -- wait_for 5 carries
flood() {
  local i
  for i in $(seq 60); do
    seq -f "route replace 203.0.113.%g dev lo table 77" 1 100
    sleep 0.1
  done | ip -n "$(ns client)" -batch -
}
flood &
flood_pid=$!
sleep 1
ticks() { awk '{ print $14 + $15 }' "/proc/$client_pid/stat"; }
before=$(ticks)
sleep 3
used=$(($(ticks) - before))
say "processor time in 3 s of a thousand changes a second: $used of 300 ticks"
check "that is little" -- test "$used" -lt 30
ip -n "$(ns client)" rule delete priority 20805
check "what was removed is put back" -- wait_for 5 grep -q 'put back: .*rule 20805' "$work/client.log"
check "the web is there" -- wait_for 5 carries
wait "$flood_pid"
