#!/usr/bin/env bash
# A client without the token is heard for ten seconds, whatever it asks and however it is answered.
. "$(dirname "$0")/topology.sh"

topology
start_server
run client chatter python3 "$here/strangers.py" chatter "$server_address" 443 1
is_seen() { [ "$(metric qdt_strangers)" -eq 1 ] && [ "$(metric qdt_connections)" -eq 1 ]; }
check "gauges tell of it, although nobody has a session" -- wait_for 5 is_seen
check "and of its memory" -- test "$(metric qdt_stranger_memory_bytes)" -gt 0
wait_for 30 grep -q '^heard' "$work/chatter.log" || fail "$(tail -n 3 "$work/chatter.log")"
heard=$(sed -n 's/^heard for \([0-9]*\).*/\1/p' "$work/chatter.log")
check_contains "it is answered meanwhile" "$(cat "$work/chatter.log")" answers
check "it is heard for ten seconds: $(cat "$work/chatter.log")" -- test "$heard" -ge 9 -a "$heard" -le 11
check_equal "it is counted" "$(metric 'qdt_strangers_ended_total{reason="time"}')" 1
check_equal "no connection is left" "$(metric qdt_connections)" 0
