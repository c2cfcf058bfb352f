#!/usr/bin/env bash
# A slow link with half a second of tail-drop buffer, as many have: an upload may fill it without the
# tunnel, and does not through it; a call beside eight uploads is heard.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology
bad_path --rate 20M --delay 15ms --queue 500ms
start_server 'host_access: all'
start_client client "route_mode: cidr"

idle=$(ping_p95 client 50 0.02)
uploads 6 1 cubic
transfer=$pid
sleep 2
loaded=$(ping_p95 client 150 0.03)
rate=$(uploaded "$transfer")
check "a ping beside an upload takes no 150 ms more than the $idle of idle ($loaded)" -- \
  exceeds_by_at_most "$loaded" "$idle" 150
check "the upload has half of the link's 20 Mbit/s ($rate)" -- is_at_least "$rate" 10

# steady_flow: prints what steady_flow.py tells.
steady_flow() {
  : >"$work/steady.log"
  run server steady "$here/../../bench/compare/steady_flow.py" receive 5300 200
  local receiver=$pid
  wait_for 5 grep -q ready "$work/steady.log" || fail "steady_flow.py does not start"
  on client "$here/../../bench/compare/steady_flow.py" send 10.8.0.1 5300 200 50
  ended "$receiver" 15
  tail -n 1 "$work/steady.log"
}
uploads 6 8 cubic
transfer=$pid
sleep 3
told=$(steady_flow)
rate=$(uploaded "$transfer")
p99=$(jq '.delays[(.delays | length) * 0.99 | floor] * 1000' <<<"$told")
received=$(jq .received <<<"$told")
check "a call's p99 beside eight uploads is no 165 ms, of which 15 are the way ($p99)" -- \
  exceeds_by_at_most "$p99" 15 150
check "and hardly anything of it is lost ($received of 200 came)" -- [ "$received" -ge 196 ]
check "the uploads have half of the link ($rate)" -- is_at_least "$rate" 10
