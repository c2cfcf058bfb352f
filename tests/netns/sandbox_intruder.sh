#!/usr/bin/env bash
# A program whose packet path does what an intruder would have it do starts no program, writes no file
# and makes no socket: the filter stops it and names the call, the process ends, and the host is put back.
# A call that only reads fails, and the tunnel goes on.
. "$(dirname "$0")/topology.sh"

topology
remember server
remember client
deed=
# The call that is refused for each deed: to start a program takes a process first.
declare -A calls=([execve]=execve [system]=clone [write]=openat [rename]=rename [unlink]=unlink
  [socket]=socket [ptrace]=ptrace)

# intruded NAME: the intruder in that program has tried.
intruded() { grep -q 'refused: ' "$work/$1.log"; }
# stopped NAME PID THREAD
stopped() {
  wait_for 10 intruded "$1" || fail "$deed in the $1: not stopped"
  check_contains "$deed in the $1: the call is named" "$(cat "$work/$1.log")" \
    "refused: ${calls[$deed]} ("
  check_contains "$deed in the $1: so is the thread" "$(cat "$work/$1.log")" ") in the thread $3; the process ends"
  ended "$2"
  check_equal "$deed in the $1: the process ends by SIGSYS" "$status" 159
  check "$deed in the $1: nothing comes of it" -- test ! -e "$work/loot" -a -e "$work/loot.there"
}
echo there >"$work/loot.there"
put_back() { host_state "$1" | diff -q "$work/$1.state" - >/dev/null; }

for deed in execve system write rename unlink socket ptrace; do
  server_command=(env "QDT_INTRUDER=$deed:$work/loot" "$build/qdt-intruder-server")
  start_server 'nat: {enabled: false}'
  run_client client 'route_mode: cidr'
  wait_for 10 grep -q 'connected: this host is' "$work/client.log" || fail "no client for $deed"
  on client ping -c 1 -W 1 10.8.0.1 >/dev/null || true
  stopped server "$server_pid" qdt-shard-0
  check "the server's host is put back" -- wait_for 5 put_back server
  stop "$client_pid"
done

server_command=("$build/qdt-server")
start_server
for deed in execve write; do
  write_client_config client 'route_mode: cidr'
  : >"$work/client.log"
  run client client env "QDT_INTRUDER=$deed:$work/loot" "$build/qdt-intruder-client" --config "$work/client.yaml"
  client_pid=$pid
  wait_for 10 grep -q 'connected: this host is' "$work/client.log" || fail "no client for $deed"
  on client ping -c 1 -W 1 10.8.0.1 >/dev/null || true
  stopped client "$client_pid" qdt-client
  check "the client's host is put back" -- wait_for 5 put_back client
done
stop "$server_pid"

server_command=(env "QDT_INTRUDER=read:$work/loot" "$build/qdt-intruder-server")
start_server
start_client client 'route_mode: cidr'
on client ping -c 1 -W 1 10.8.0.1 >/dev/null || true
check_contains "one that reads is named" "$(cat "$work/server.log")" "refused: openat ("
check_contains "and does not get it" "$(cat "$work/server.log")" "intruder: Operation not permitted"
check "the tunnel goes on" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
