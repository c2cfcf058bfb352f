#!/usr/bin/env bash
# One client does not take every lease: not under its name, not under many, and not by coming back
# again and again. Who shares its address, and who does not, finds room.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'pool_cidr: 10.8.0.0/27' 'max_sessions_per_client: 2'
check_equal "the limit is shown" "$(metric qdt_sessions_per_client_limit)" 2

# stay HOST NAME [ARGUMENTS...]: a session that stays, its PID in $pid.
sessions=0
stay() {
  sessions=$((sessions + 1))
  run "$1" "stay$sessions" "$build/qdt-probe" --token "$token" --client-id "$2" --stay "${@:3}" "$server_address:443"
  wait_for 10 grep -qx pong "$work/stay$sessions.log" || fail "$2 has no session: $(cat "$work/stay$sessions.log")"
}
refused() { probe "$@" | cut -c-15; }

stay client phone --resume ""
first_pid=$pid
resume=$(sed -n 's/.*"resume_token":"\([^"]*\)".*/\1/p' "$work/stay1.log")
stay client phone
check_equal "a client has two sessions, and no third" "$(refused client --client-id phone)" "503 server busy"
check "the log says why" -- wait_for 5 grep -q 'failed: busy: max_sessions_per_client is met' "$work/server.log"
stay client phone --resume "$resume"
check_equal "one that takes its own session's place gets in" "$(metric qdt_sessions_active)" 2
ended "$first_pid"
check_equal "and is none more" "$(refused client --client-id phone)" "503 server busy"

for i in $(seq 14); do stay client "name$i"; done
check_equal "many names have half of the pool, and no more" "$(refused client --client-id another)" "503 server busy"
stay client2 phone
check_equal "another address finds room" "$(metric qdt_sessions_active)" 17
stop "$pid"
stay client2 phone
stay client2 phone
check_equal "and is counted by itself" "$(refused client2 --client-id phone)" "503 server busy"
stop "$pid"
one_may_enter() { [[ $(refused client2 --client-id phone) == 200* ]]; }
check "where a session ends, there is room" -- wait_for 5 one_may_enter
stop "$server_pid"

start_server 'pool_cidr: 10.8.0.0/27' 'max_sessions_per_client: 0'
for i in $(seq 20); do stay client phone; done
check_equal "0 is any number" "$(metric qdt_sessions_active)" 20
try server "$build/qdt-server" --check-config --config "$work/server.yaml"
check_contains "of which --check-config warns" "$output" "one client may have every address"
