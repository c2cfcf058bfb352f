#!/usr/bin/env bash
# log_level and log_json of both programs.
. "$(dirname "$0")/topology.sh"

topology

start_server 'log_json: true'
start_client client 'log_json: true'
stop "$client_pid"
stop "$server_pid"
for program in server client; do
  check "every line of the $program's log is a JSON object" -- \
    jq -es 'length > 3 and all(has("time") and has("level") and has("msg"))' "$work/$program.log"
done

lines() { grep -c " $2 " "$work/$1.log" || true; }
start_server 'log_level: info'
start_client client 'log_level: info'
probe client --token wrong >/dev/null
for program in server client; do
  check "info of the $program has lines" -- test "$(lines $program info)" -ge 3
  check_equal "none of them for debugging" "$(lines $program debug)" 0
done
stop "$client_pid"
stop "$server_pid"

write_server_config 'log_level: error'
run server quiet "$build/qdt-server" --config "$work/server.yaml"
wait_for 10 fetch server http://127.0.0.1:9435/healthz || fail "the server does not start"
stop "$pid"
check_equal "with log_level error an orderly life is silent" "$(cat "$work/quiet.log")" ""
