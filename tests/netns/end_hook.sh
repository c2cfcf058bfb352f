#!/usr/bin/env bash
# A client that is told to stop while `up` runs does not wait for its end: the program is asked to end
# as well, killed when it does not, and the host is put back.
. "$(dirname "$0")/topology.sh"

topology
remember client
start_server

stops_during() {  # WORDS HOOK SECONDS
  printf '#!/bin/sh\n%s\n' "$2" >"$work/hook"
  chmod 700 "$work/hook"
  rm -f "$work/begun"
  run_client client "up: [$work/hook]" "down: [/bin/touch, $work/down]"
  wait_for 10 test -e "$work/begun" || fail "up is not run"
  stop "$client_pid"
  check_equal "$1: exit status" "$status" 0
  check "$1: in time" -- test "$milliseconds" -lt "$3"
  check_unchanged "$1: the host is as it was" client
  check "$1: down is run" -- rm "$work/down"
}
stops_during "an up that ends when it is asked to" "touch $work/begun; exec sleep 20" 2000
stops_during "an up that does not" "trap '' TERM; touch $work/begun; sleep 20; sleep 20" 6000
