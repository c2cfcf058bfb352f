#!/usr/bin/env bash
# Two clients of different servers on one host, each with name servers of its own, in every order of
# their ends, some of them by SIGKILL of both processes: the newest one's are in force, then the other's,
# and in the end the old file is back byte for byte. They do not set them against each other.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
printf '# mine\nsearch lan.test\nnameserver\t127.0.0.53 # no line end' >"$file"
cp "$file" "$work/old"
start_server
second_server() {
  mv "$work/server.yaml" "$work/first.yaml"
  write_server_config 'addr: ":444"' 'tun_name: qdt1' 'pool_cidr: 10.9.0.0/24' 'metrics_addr: off' 'health_addr: off'
  mv "$work/server.yaml" "$work/server2.yaml"
  run server server2 "$build/qdt-server" --config "$work/server2.yaml"
  wait_for 10 grep -q 'ready: clients are taken' "$work/server2.log" || fail "the second server is not ready"
}
second_server
start_first() {
  start_client client 'route_mode: cidr' 'dns: [192.0.2.53]'
  first=$client_pid
}
start_second() {
  write_client_config second 'route_mode: cidr' 'dns: [192.0.2.54]' 'tun_name: qdt1' "server: $server_address:444"
  : >"$work/second.log"
  run client second "$build/qdt-client" --config "$work/second.yaml"
  second=$pid
  wait_for 10 grep -q 'connected: this host is' "$work/second.log" || fail "the second client is not connected"
}
has() { grep -qx "nameserver $1" "$file" && [ "$(grep -c ^nameserver "$file")" -eq 1 ]; }
is_old() { cmp -s "$file" "$work/old"; }
cleanup() { on client "$build/qdt-client" --cleanup >"$work/cleanup.log" 2>&1; }

start_first
start_second
check "the newest one's are in force" -- has 192.0.2.54
sleep 5
check "and stay" -- has 192.0.2.54
grep 'somebody changed the name servers' "$work/client.log" "$work/second.log" && fail "they fight"
stop "$first"
check "the older one ends: nothing changes" -- has 192.0.2.54
stop "$second"
check "first in, first out: the old file is back" -- is_old

start_first
start_second
stop "$second"
check "the newest one ends: the other's are in force" -- has 192.0.2.53
stop "$first"
check "last in, first out: the old file is back" -- is_old

start_first
start_second
crash "$second"
stop "$first"
check "the newest one is killed, and the other one ends: the old file is back" -- is_old
cleanup
check "--cleanup changes nothing of it" -- is_old

start_first
start_second
crash "$second"
wait_for 6 has 192.0.2.53 || fail "the name servers of a killed client stay in force"
say "ok: the newest one is killed: the other's are in force soon"
stop "$first"
check "and in the end the old file is back" -- is_old
cleanup

start_first
start_second
crash "$first"
stop "$second"
check "the older one is killed, and the newest one ends: the old file is back" -- is_old
cleanup

start_first
start_second
crash "$first"
crash "$second"
check "both are killed" -- has 192.0.2.54
start_first
check "one is started again: its name servers are in force" -- has 192.0.2.53
stop "$first"
check "and the old file is back" -- is_old

start_first
start_second
crash "$first"
crash "$second"
cleanup
check "both are killed and cleaned up: the old file is back" -- is_old
