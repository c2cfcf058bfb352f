#!/usr/bin/env bash
# Both programs are two processes: the one that reads the network's packets, and one that changes the
# host. Whichever of them is killed, stopped or interrupted, the host is put back, or the fault is told; and
# nothing is done to the host that a request could not ask for.
. "$(dirname "$0")/topology.sh"

topology
remember server
remember client
start_server
start_client client 'route_mode: default'

say "--- two processes"
server_host=$(host_process "$server_pid")
client_host=$(host_process "$client_pid")
check "the server has a host process" -- test -n "$server_host"
check "so has the client" -- test -n "$client_host"
check_equal "ps tells which is which" "$(tr '\0' ' ' <"/proc/$server_host/cmdline" | sed 's/ *$//')" \
  'qdt-server: host'
open_files() { find "/proc/$1/fd" -mindepth 1 -printf '%l\n'; }
check_lacks "it has no queue of the TUN device" "$(open_files "$server_host")" /dev/net/tun
check_lacks "nor a poller of the main process" "$(open_files "$server_host")" eventpoll
check_lacks "nor a socket for packets" "$(on server ss -uanp)" "pid=$server_host,"
check_contains "which the main process has" "$(on server ss -uanp)" "pid=$server_pid,"

say "--- signals"
for signal in INT TERM HUP QUIT USR1; do kill -"$signal" "$server_host" "$client_host"; done
check "signals to the host processes end nothing" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
check "of both" -- kill -0 "$server_host" "$client_host"

say "--- a host process that stands still"
ready() { fetch server http://127.0.0.1:9436/healthz >/dev/null; }
degraded() { { on client "$build/qdt-client" --status || true; } | grep -q degraded; }
kill -STOP "$server_host" "$client_host"
wait_for 15 degraded || fail "the client does not tell that its host process stands still"
say "ok: the client is degraded"
not_ready() { ! ready; }
wait_for 15 not_ready || fail "the server does not tell that its host process stands still"
say "ok: the server is not ready"
check "packets go on meanwhile" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
kill -CONT "$server_host" "$client_host"
wait_for 10 ready || fail "the server is not ready again"
not_degraded() { ! degraded; }
wait_for 10 not_degraded || fail "the client is degraded for ever"
say "ok: both are well again"

say "--- the main process is killed"
stop "$client_pid" KILL
check "the client's host process ends, too" -- wait_for 5 is_gone "$client_host"
check_unchanged "and the host is put back" client

say "--- the host process is killed"
start_client client 'route_mode: default'
client_host=$(host_process "$client_pid")
kill -KILL "$client_host"
ended "$client_pid"
check_equal "the client ends, and another start helps" "$status" 4
check_contains "and says why" "$(cat "$work/client.log")" 'has gone (was ended by SIGKILL)'
try client "$build/qdt-client" --cleanup
check_unchanged "what was changed is undone by --cleanup" client
kill -KILL "$server_host"
ended "$server_pid"
check_equal "the server ends" "$status" 1
check_contains "and says why" "$(cat "$work/server.log")" 'has gone (was ended by SIGKILL)'
start_server
start_client client 'route_mode: default'
check "its next start works" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"

say "--- Ctrl-C, which both get"
client_host=$(host_process "$client_pid")
server_host=$(host_process "$server_pid")
kill -INT "$client_pid" "$client_host"
ended "$client_pid"
check_equal "the client's end is orderly" "$status" 0
check "when it has ended, its host process has, too" -- is_gone "$client_host"
check_unchanged "and the host is put back" client
kill -INT "$server_host" "$server_pid"
ended "$server_pid"
check_equal "the server's end is orderly" "$status" 0
check "when it has ended, its host process has, too" -- is_gone "$server_host"
check_unchanged "and the host is put back" server
