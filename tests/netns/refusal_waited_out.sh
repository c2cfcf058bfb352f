#!/usr/bin/env bash
# A refusal that passes ("server busy", "address pool exhausted", "rate limited", "not ready") is
# waited out at the first connection, too: the client says so once, and is connected soon after the
# reason is gone. A refusal that lasts ends it, as ever.
. "$(dirname "$0")/topology.sh"

topology 2
unlimited=('handshake_rate: {pps: 0}' 'handshake_ip_rate: {pps: 0}')
is_refused() { grep -q "refused: $1" "$work/client.log"; }
is_connected() { grep -q 'connected: this host is' "$work/client.log"; }

# waits_out WORDS COMMAND...: the client that was started is refused with WORDS, and connected after
# COMMAND.
waits_out() {
  check "the client is told: $1" -- wait_for 10 is_refused "$1"
  sleep 1
  kill -0 "$client_pid" || fail "$1: the client gave up: $(tail -n 1 "$work/client.log")"
  check_equal "it says so once" "$(grep -c "refused: $1" "$work/client.log")" 1
  "${@:2}"
  check "and is connected once that is over" -- wait_for 15 is_connected
  stop "$client_pid"
  check_equal "it ends as asked" "$status" 0
}

start_server "${unlimited[@]}" 'max_sessions: 1' 'lease_grace: 0'
start_client client2 'route_mode: cidr'
first_pid=$client_pid
run_client client 'route_mode: cidr'
waits_out 'server busy' stop "$first_pid"
stop "$server_pid"

start_server "${unlimited[@]}" 'pool_cidr: 10.8.0.0/30' 'lease_grace: 0'
start_client client2 'route_mode: cidr'
first_pid=$client_pid
run_client client 'route_mode: cidr'
waits_out 'address pool exhausted' stop "$first_pid"
stop "$server_pid"

start_server 'handshake_ip_rate: {pps: 0.4, burst: 1}'
probe client >/dev/null  # takes the only turn
run_client client 'route_mode: cidr'
waits_out 'rate limited' true
stop "$server_pid"

start_server "${unlimited[@]}"
try_client client 'token: another-token-0123456789abcdef'
check_equal "a wrong token ends the client at once" "$status" 2
check_contains "with the reason" "$output" "refused by the server: not admitted"
