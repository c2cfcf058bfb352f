#!/usr/bin/env bash
# 70 clients vanish, and packets for them fill all that may wait in the server. A client that is there
# loses nothing by it, and after a second or two nothing waits for the others any more.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology 2
bad_path --delay 5ms  # what a client of a short path gets does not wait
start_server 'max_sessions_per_client: 70'
have_pongs() { [ "$(cat "$work"/probe*.log | grep -c pong)" -eq "$1" ]; }
vanished=()
for i in $(seq 70); do
  run client2 "probe$i" "$build/qdt-probe" --token "$token" --stay --resume "" "$server_address:443"
  vanished+=("$pid")
  [ $((i % 10)) -ne 0 ] || wait_for 10 have_pongs "$i" || fail "client $i is not connected"
done
wait_for 10 have_pongs 70 || fail "70 clients are not connected"
kill -STOP "${vanished[@]}"
start_client client 'route_mode: cidr' 'data_plane: quic'

run client receive "$here/burst.py" receive 100
receive_pid=$pid
wait_for 5 grep -q ready "$work/receive.log" || fail "nobody receives"
mapfile -t leases < <(sed -n 's/.*opened with \(10[0-9.]*\)$/\1/p' "$work/server.log" | head -70)
on server "$here/burst.py" fill 1800 "${leases[@]}"
on server "$here/burst.py" send "$(lease client)" 100
ended "$receive_pid"
check_equal "the client that is there gets all of a burst of 100" "$(tail -n 1 "$work/receive.log")" "100 received"

nothing_waits() { [ "$(metric qdt_queued_packets)" -le 70 ]; }
check "what waits for the others goes soon" -- wait_for 5 nothing_waits
check "and is counted" -- test "$(metric 'qdt_drops_total{reason="queue_stale"}')" -gt 0
check "as is what gave way" -- test "$(metric 'qdt_drops_total{reason="queues_full"}')" -gt 0
check_equal "the sessions are still there" "$(metric qdt_sessions_active)" 71
kill -KILL "${vanished[@]}" 2>/dev/null
