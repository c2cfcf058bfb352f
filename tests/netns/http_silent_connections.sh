#!/usr/bin/env bash
# Connections to the health and metrics addresses that say nothing, say it slowly or fetch nothing delay
# no request; they are bounded for each address and in all, and their memory is.
. "$(dirname "$0")/topology.sh"

topology
start_server 'metrics_addr: "203.0.113.2:9435"' 'health_addr: "203.0.113.2:9436"'
for i in $(seq 3 8); do ip -n "$(ns router)" address add "203.0.113.$i/24" dev srv; done

# How often a request was answered within 2 seconds, of ten.
answered() {
  local i count=0
  for i in 1 2 3 4 5 6 7 8 9 10; do
    ! on router curl -sS --noproxy '*' --interface "$1" --max-time 2 -o /dev/null "http://203.0.113.2:$2" || count=$((count + 1))
  done 2>/dev/null
  say "$count"
}
cat >"$work/crowd.py" <<'PYTHON'

import select, socket, sys, time
kind, port, addresses = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
crowd = []
for address in addresses:
    for i in range(40):
        client = socket.socket()
        if kind == "unread":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.bind((address, 0))
        client.connect(("203.0.113.2", port))
        if kind == "unread":
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * 40)
        crowd.append(client)
print("there", flush=True)
until = time.time() + 30
while time.time() < until:
    if kind == "slow":
        for client in crowd:
            try: client.send(b"G")
            except OSError: pass
    time.sleep(0.3)
PYTHON
# crowd KIND PORT ADDRESSES...: 40 connections from each, until they are closed and for 30 seconds at most.
crowd() {
  : >"$work/crowd.log"
  run router crowd python3 -u "$work/crowd.py" "$@"
  crowd_pid=$pid
  wait_for 10 grep -q there "$work/crowd.log" || fail "no crowd"
}
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$server_pid/status"; }

before=$(memory)
for kind in silent slow; do
  for port in 9435 9436; do
    crowd "$kind" "$port" 203.0.113.1
    check_equal "$kind on $port: a request from the same address is answered" "$(answered 203.0.113.1 "$port/healthz")" 10
    check_equal "$kind on $port: one from another address, too" "$(answered 203.0.113.3 "$port/healthz")" 10
    stop "$crowd_pid"
  done
done
metric() { fetch router http://203.0.113.2:9435/metrics | awk -v series="$1" 'index($0, series " ") == 1 { print $NF }'; }
crowd silent 9435 203.0.113.{1,3,4,5,6,7}
check_equal "from six addresses: a request from a seventh is answered" "$(answered 203.0.113.8 9435/metrics)" 10
check "they are bounded" -- test "$(metric qdt_http_connections)" -le 64
check "some gave way, which is counted" -- test "$(metric qdt_http_gave_way_total)" -ge 100
stop "$crowd_pid"
crowd unread 9435 203.0.113.{1,3,4,5}
check_equal "answers that nobody fetches: a request is answered" "$(answered 203.0.113.1 9435/metrics)" 10
check_equal "also from elsewhere" "$(answered 203.0.113.8 9435/metrics)" 10
stop "$crowd_pid"
check "memory is bounded: $before, now $(memory)" -- test $(($(memory) - before)) -lt 12288
check_equal "the server is as healthy as ever" "$(fetch router http://203.0.113.2:9436/healthz)" ok
