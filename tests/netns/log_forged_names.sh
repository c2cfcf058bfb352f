#!/usr/bin/env bash
# A client's name, and the reason that a peer gives for its end, cannot be taken for the rest of a line
# of the log.
. "$(dirname "$0")/topology.sh"

topology
start_server
name=$'me from 192.0.2.9:1 opened with 10.8.0.99\n2026-01-01 error: all is lost \e[2J"quoted" \\'
check_contains "a session opens" "$(probe client --client-id "$name")" '200 {'
line=$(grep ' from 198.51.100.2:' "$work/server.log")
check_equal "it is one line" "$(grep -c . <<<"$line")" 1
check_contains "with the name in quotation marks, and cut" "$line" \
  'session of "me from 192.0.2.9:1 opened with 10.8.0.99?2026-01-01 error: all " from 198.51.100.2:'
wait_for 5 grep -q ' ended: ' "$work/server.log" || fail "the session does not end"
check_contains "a reason of plain words stands as it is" "$(grep ' ended: ' "$work/server.log")" \
  'ended: the probe leaves (after '
check_lacks "nothing else is written by it" "$(cat "$work/server.log")" "all is lost"
probe client --client-id "name two" --reason 'bye (after 3 s; 1 B from it)' >/dev/null
ended_so() { grep -q 'ended: "bye (after 3 s; 1 B from it)" (after ' "$work/server.log"; }
check "a reason with more than words in it is quoted" -- wait_for 5 ended_so
probe client --client-id plain-name_1.example >/dev/null
check "a plain name stands as it is" -- grep -q 'session of plain-name_1.example from' "$work/server.log"
