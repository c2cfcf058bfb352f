#!/usr/bin/env bash
# Two requests to end make one end: the second signal does not cut the undoing short,
# from the first moment of the program to its last.
. "$(dirname "$0")/topology.sh"

topology
remember client
remember server

# ends_whole WORDS PID HOST
ends_whole() {
  ended "$2"
  check_equal "$1: exit status" "$status" 0
  check_unchanged "$1: the host is as it was" "$3"
}
start_server
for pair in "TERM TERM" "TERM INT" "HUP TERM" "INT HUP" "QUIT QUIT"; do
  read -r first second <<<"$pair"
  start_client client 'route_mode: default' 'kill_switch: true'
  kill -"$first" "$client_pid"
  for _ in 1 2 3 4 5 6; do kill -"$second" "$client_pid" 2>/dev/null || true; sleep 0.01; done
  ends_whole "SIG$first, then SIG$second" "$client_pid" client
done

# At any moment of the start.
for delay in 0.02 0.05 0.1 0.15 0.2 0.3; do
  run_client client 'route_mode: default'
  wait_for 5 test -s "$work/client.log" || fail "the client does not start"
  sleep "$delay"
  kill -HUP "$client_pid"
  kill -TERM "$client_pid" 2>/dev/null || true
  ends_whole "twice, $delay s after the start" "$client_pid" client
done

kill -TERM "$server_pid"
for _ in 1 2 3; do kill -INT "$server_pid" 2>/dev/null || true; sleep 0.02; done
ends_whole "the server" "$server_pid" server

# An end that takes long says what it waits for, and that it has heard the second request.
start_server
hook=$work/hook
printf '#!/bin/sh\nsleep 5\n' >"$hook"
chmod 700 "$hook"
start_client client "down: [$hook]"
kill -TERM "$client_pid"
sleep 0.3
kill -INT "$client_pid"
ends_whole "with a slow down" "$client_pid" client
log=$(cat "$work/client.log")
check_contains "the second request is answered" "$log" "SIGINT: stopping already: the program of down runs"
check_contains "the log says what the end waits for" "$log" "still stopping after 3 s: the program of down runs"
