#!/usr/bin/env bash
# Reloads in the middle of a flood of handshakes, with the token and without: whoever may come in does, no
# session ends but by its client's wish, and the session beside it loses no packet.
. "$(dirname "$0")/topology.sh"

topology 3
settings=('log_level: info' 'pool_cidr: 10.8.0.0/22' 'handshake_rate: {pps: 0}' 'max_sessions_per_client: 0')
start_server "${settings[@]}"
start_client client 'route_mode: cidr'
ping_steadily client 10.8.0.1 0.02
server() { on server "$build/qdt-server" "$@"; }

write_client_config client2
run client2 load "$build/qdt-load" --config "$work/client2.yaml" --clients 40 --rate 100 --churn 20 --echoes 2 --for 12s
load_pid=$pid
# Strangers who guess, one after the other.
guess() { while :; do on client3 "$build/qdt-probe" --token guess "$server_address:443" || true; done; }
guess >"$work/guesses" 2>&1 &
guess_pid=$!

reloads=0
while ! is_gone "$load_pid" 2>/dev/null; do
  reloads=$((reloads + 1))
  write_server_config "${settings[@]}" "handshake_ip_rate: {pps: $((1000 + reloads))}" \
    "rate_limit: {pps: $((100000 + reloads))}" "max_sessions: $((500 + reloads % 2))" 'decoy: off'
  kill -HUP "$server_pid"
  server reload >"$work/answer" 2>&1 || fail "a reload fails: $(cat "$work/answer")"
done
ended "$load_pid"
kill "$guess_pid"
check "$reloads reloads" -- test "$reloads" -ge 10
check_equal "all clients were taken, and no session was lost: $(tail -n 8 "$work/load.log")" "$status" 0
check "guesses were refused meanwhile" -- test "$(metric 'qdt_handshakes_total{result="unauthorized"}')" -ge 5
check_steady "the session beside lost nothing"
check "the server says no error" -- test "$(grep -c ' error: ' "$work/server.log")" -eq 0
check_equal "the last limits are in force" "$(metric qdt_sessions_limit)" $((500 + reloads % 2))
stop "$server_pid"
check_equal "the server ends in order" "$status" 0
