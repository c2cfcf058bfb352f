#!/usr/bin/env bash
# Two servers on one host, started and stopped in any order: forwarding stays on for the one that
# goes on, which carries its clients, and the host stays closed between its own networks; the last
# one puts forwarding back.
. "$(dirname "$0")/topology.sh"

topology
ip -n "$(ns router)" route add 192.0.2.0/24 via 203.0.113.2
ip -n "$(ns web)" route add default via 192.0.2.1
remember server
forwards() { on server sysctl -n net.ipv4.ip_forward; }
closed() { ! on router ping -n -q -c 1 -W 1 "$web_address" >/dev/null 2>&1; }
reaches_web() { on client ping -n -q -c 1 -W 1 "$web_address" >/dev/null 2>&1; }

# second_server: beside the first; its PID in $second_pid.
second_server() {
  : >"$work/second.log"
  with_defaults 'addr: ":4443"' 'tun_name: qdt1' 'pool_cidr: 10.9.0.0/24' 'metrics_addr: off' \
    'health_addr: off' -- "token: $token" 'tls_cert: server.crt' 'tls_key: server.key' \
    "send_workers: ${QDT_SEND_WORKERS:-1}" >"$work/second.yaml"
  chmod 600 "$work/second.yaml"
  run server second "$build/qdt-server" --config "$work/second.yaml"
  second_pid=$pid
  wait_for 10 grep -q 'ready: clients are taken' "$work/second.log" || fail "the second server is not ready"
}

start_server
second_server
start_client client "server: $server_address:4443"
check "a client of the second server reaches the world" -- reaches_web
check "with both, the host is no router for others" -- closed
stop "$server_pid"
check_equal "the first one stops: forwarding stays on" "$(forwards)" 1
check_contains "and it says for whom" "$(cat "$work/server.log")" "left on for another QDT server"
check "the second one's client goes on" -- reaches_web
check "the host is still no router for others" -- closed
stop "$client_pid"
stop "$second_pid"
check_unchanged "the last one puts everything back" server

start_server
second_server
start_client
stop "$second_pid"
check "the second one stops: the first one's client goes on" -- reaches_web
check "and the host is no router for others" -- closed
stop "$client_pid"
crash "$server_pid"
second_server
stop "$second_pid"
on server "$build/qdt-server" --cleanup >/dev/null 2>&1
check_unchanged "after a crash in between, too" server

start_server
second_server
kill -TERM "$server_pid" "$second_pid"
ended "$server_pid"
ended "$second_pid"
check_unchanged "both stop in one moment" server
