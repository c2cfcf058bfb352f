#!/usr/bin/env bash
# Somebody who sees the client's packets sends copies of them from an address of his own, and is there
# before them; he can drop none. The session stays with the client, whether he keeps what the server
# sends him or relays it.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology 2
bad_path --delay 40ms
start_server

# race [relay]: from now on, from the second client's host; its PID in $racer_pid.
race() {
  : >"$work/racer.log"
  python3 "$here/racer.py" "$(ns path)" to_client "$(ns client2)" "$server_address" "$@" >>"$work/racer.log" 2>&1 &
  racer_pid=$!
  wait_for 5 grep -q copies "$work/racer.log" || fail "the racer does not start: $(cat "$work/racer.log")"
}
got() { awk '$1 == "got" { bytes = $2 } END { print bytes + 0 }' "$work/racer.log"; }
# answered COUNT: of as many pings.
answered() {
  { on client ping -n -q -i 0.05 -c "$1" -W 1 10.8.0.1 || true; } | sed -n 's/.* \([0-9]*\) received.*/\1/p'
}

is_direct() { [ "$(metric qdt_direct_sessions)" = 1 ]; }

for plane in auto quic; do
  for relay in '' relay; do
    name=$plane${relay:+, relay}
    start_client client 'route_mode: cidr' "data_plane: $plane"
    wait_for 5 on client ping -n -q -c 1 -W 1 10.8.0.1 || fail "no ping is answered"
    [ "$plane" = quic ] || wait_for 5 is_direct || fail "no direct plane"
    race ${relay:+"$relay"}
    count=$(answered 40)
    check "$name: $count of 40 pings are answered while he copies" -- test "$count" -ge 35
    sleep 1.1
    before=$(got)
    count=$(answered 30)
    check "$name: $count of 30 later" -- test "$count" -ge 28
    check "$name: he got $before bytes, then next to none" -- test $(($(got) - before)) -lt 2000
    kill "$racer_pid"
    ended "$racer_pid"
    check_equal "$name: it is the same session" "$(grep -c 'connected: this host' "$work/client.log")" 1
    stop "$client_pid"
  done
done
