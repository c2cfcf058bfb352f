#!/usr/bin/env bash
# The clients of an office start in the same second behind one address, with the server's default
# limits: all are connected within seconds, and none gives up. With a limit that is far too small
# for them, they come in one after the other.
. "$(dirname "$0")/topology.sh"

topology
count=${CLIENTS:-36}
client_pids=()

# start_office COUNT: so many clients on one host, none of which routes anything.
start_office() {
  local i
  client_pids=()
  for i in $(seq "$1"); do
    write_client_config "office$i" 'route_mode: none' "tun_name: office$i" "client_id: office$i" \
      'log_level: info'
  done
  for i in $(seq "$1"); do
    run client "office$i" "$build/qdt-client" --config "$work/office$i.yaml"
    client_pids+=("$pid")
  done
}
connected() { grep -l 'connected: this host is' "$work"/office*.log | wc -l; }
are_connected() { [ "$(connected)" -ge "$1" ]; }
check_all_run() {
  for pid in "${client_pids[@]}"; do kill -0 "$pid" || fail "$1: a client gave up: $(tail -qn 1 "$work"/office*.log)"; done
  say "ok: $1"
}
stop_office() {
  kill -TERM "${client_pids[@]}"
  for pid in "${client_pids[@]}"; do ended "$pid" 20; done
  rm -f "$work"/office*.log
}

start_server 'log_level: info'
start_office "$count"
check "$count clients of one address are connected" -- wait_for 20 are_connected "$count"
check_all_run "none of them gave up"
check_equal "the default limit turned nobody away" \
  "$(metric 'qdt_handshakes_total{result="rate_limited"}')" 0
stop_office
stop "$server_pid"

start_server 'handshake_ip_rate: {pps: 2, burst: 2}' 'log_level: info'
start_office 6
check "with a narrow limit, they come in one after the other" -- wait_for 20 are_connected 6
check_all_run "and none gave up"
[ "$(metric 'qdt_handshakes_total{result="rate_limited"}')" -gt 0 ] || fail "the limit was not met"
stop_office
