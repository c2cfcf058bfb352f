#!/usr/bin/env bash
# /metrics tells what an operator looks for, in Prometheus's form, and the truth; /healthz tells on
# both addresses whether clients are served; both can be switched off.
. "$(dirname "$0")/topology.sh"

topology
start_server
metrics=http://127.0.0.1:9435 health=http://127.0.0.1:9436
text() { fetch server "$metrics/metrics"; }

text >"$work/before"
for family in qdt_sessions_active qdt_packets_total qdt_bytes_total qdt_drops_total \
  qdt_handshakes_total qdt_build_info qdt_ready qdt_connections qdt_queued_packets \
  qdt_queued_payloads qdt_offloads_disabled_total qdt_stray_total \
  qdt_rtt_seconds qdt_payloads_total qdt_tun_bursts_total qdt_tun_packets_total \
  qdt_shards qdt_pool_addresses \
  process_cpu_seconds_total process_resident_memory_bytes process_open_fds \
  process_start_time_seconds; do
  check "$family has HELP" -- grep -q "^# HELP $family ." "$work/before"
  check "$family has TYPE" -- grep -qE "^# TYPE $family (counter|gauge)$" "$work/before"
done
check_equal "every sample's family has a TYPE" "" "$(awk '
  /^# TYPE/ { known[$3] = 1; next } /^#/ { next }
  { name = $1; sub(/\{.*/, "", name); if (!known[name]) print name }' "$work/before")"
for result in ok not_ready method unauthorized rate_limited busy not_http3 bad_request bad_nonce \
  pool_exhausted; do
  check "qdt_handshakes_total has the result $result" -- \
    grep -q "^qdt_handshakes_total{result=\"$result\"} 0$" "$work/before"
done
check_contains "the content type is Prometheus's" \
  "$(fetch server --head -X GET "$metrics/metrics" -o /dev/null -w '%{content_type}')" \
  "text/plain; version=0.0.4"

start_client
on client ping -q -c 10 -i 0.05 -s 1000 10.8.0.1 >/dev/null
check_equal "one session" "$(metric qdt_sessions_active)" 1
check_equal "one handshake" "$(metric 'qdt_handshakes_total{result="ok"}')" 1
check_equal "ten packets up" "$(metric 'qdt_packets_total{direction="up"}')" 10
check_equal "ten packets down" "$(metric 'qdt_packets_total{direction="down"}')" 10
check_equal "their bytes up" "$(metric 'qdt_bytes_total{direction="up"}')" 10280
check_equal "their bytes down" "$(metric 'qdt_bytes_total{direction="down"}')" 10280
check "payloads came in" -- test "$(metric 'qdt_payloads_total{direction="in"}')" -ge 10
check "payloads went out" -- test "$(metric 'qdt_payloads_total{direction="out"}')" -ge 10
has_rtt() { text | awk '/^qdt_rtt_seconds{stat="max"}/ { ok = $2 > 0 && $2 < 0.1 } END { exit !ok }'; }
check "the round trip time is known" -- wait_for 5 has_rtt

healthz() { on server curl -sS --noproxy '*' --max-time 5 -w ' %{http_code}' "$1/healthz" | tr -d '\n'; }
for address in "$metrics" "$health"; do
  check_equal "$address is healthy" "$(healthz "$address")" "ok 200"
done
# Somebody else's device takes the name: the only trouble with it that the server cannot mend.
kill -STOP "$server_pid"
ip -n "$(ns server)" link delete qdt0
ip -n "$(ns server)" link add qdt0 type veth peer name other0
kill -CONT "$server_pid"
wait_for 5 grep -q 'not ready' "$work/server.log" || fail "the server does not notice"
for address in "$metrics" "$health"; do
  check_contains "$address tells of trouble" "$(healthz "$address")" "a network interface of this name exists"
  check_contains "by its status, too" "$(healthz "$address")" " 503"
done
check_equal "so does qdt_ready" "$(metric qdt_ready)" 0
ip -n "$(ns server)" link delete qdt0
is_healthy() { [ "$(healthz "$health")" = "ok 200" ]; }
check "and of its end" -- wait_for 5 is_healthy
check "the device was made again" -- test "$(metric 'qdt_host_repairs_total{part="device"}')" -ge 1
check_equal "the health address has nothing else" \
  "$(on server curl -sS -o /dev/null -w '%{http_code}' "$health/metrics")" 404
stop "$server_pid"

listeners() { on server ss -Hltn | awk '{ print $4 }' | sort | tr '\n' ' '; }
start_server 'metrics_addr: off'
check_equal "metrics switched off" "$(listeners)" "127.0.0.1:9436 "
stop "$server_pid"
start_server 'health_addr: off'
check_equal "health switched off" "$(listeners)" "127.0.0.1:9435 "
stop "$server_pid"
start_server 'metrics_addr: off' 'health_addr: off'
check_equal "both switched off" "$(listeners)" ""
stop "$server_pid"
start_server 'metrics_addr: 127.0.0.1:9000' 'health_addr: 127.0.0.1:9000'
check_equal "both on one address" "$(listeners)" "127.0.0.1:9000 "
