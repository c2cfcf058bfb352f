#!/usr/bin/env bash
# Each kind of bad datagram is dropped and counted under its reason; it ends no session, harms no
# other one, and is worth no log line.
. "$(dirname "$0")/topology.sh"

topology 2
say "SEED=$seed"
start_server 'handshake_ip_rate: {pps: 0}'
start_client client2 'route_mode: cidr'
ping_steadily client2 10.8.0.1

count=200
dropped() { metric "qdt_drops_total{reason=\"$1\"}"; }
log_lines() { wc -l <"$work/server.log"; }

# dropped_as KIND REASON
dropped_as() {
  local before lines
  before=$(dropped "$2")
  lines=$(log_lines)
  check_contains "a session that sends $count of the kind $1 lives on" \
    "$(probe client --seed "$seed" --send "$1:$count")" pong
  check_equal "they are dropped as $2" "$(dropped "$2")" $((before + count))
  # The session's own lines, and perhaps those of the end of the one before.
  check "and not logged one by one" -- test $(($(log_lines) - lines)) -le 10
}

dropped_as garbage bad_magic
dropped_as empty short
dropped_as short short
dropped_as foreign-stream no_session
dropped_as half-number no_session
dropped_as bad-version bad_version
dropped_as truncated forged
dropped_as forged forged
dropped_as foreign-session wrong_session
dropped_as replayed replayed
dropped_as old replayed
dropped_as unknown-type unknown_type
dropped_as malformed malformed
dropped_as lying-length malformed
dropped_as spoofed-world spoofed_source
dropped_as fragment-cut bad_fragment
dropped_as fragment-empty bad_fragment
dropped_as fragment-beyond bad_fragment
dropped_as oversized reassembly_full
dropped_as fragment-overlap bad_fragment

# The oldest packets that never become whole give way; the rest is given up in time.
before=$(dropped reassembly_full)
check_contains "a session that sends $count half packets lives on" \
  "$(probe client --send "half-packet:$count")" pong
full=$(($(dropped reassembly_full) - before))
check "most of them give way ($full)" -- test "$full" -ge $((count - 64))
before=$(dropped reassembly_timeout)
run client slow "$build/qdt-probe" --token "$token" --stay --send half-packet:3 "$server_address:443"
timed_out() { [ "$(dropped reassembly_timeout)" -eq $((before + 3)) ]; }
check "three that have room are given up after a while" -- wait_for 10 timed_out

check_steady "no packet of the other client was lost"
