#!/usr/bin/env bash
# A /run/qdt that is full, or becomes full while the programs run, is one line in the log for each
# file, no end, and not one line every two seconds; everything is put back at the end.
. "$(dirname "$0")/topology.sh"

topology
remember client
remember server

# run_confined HOST PROGRAM MOUNT...: the program with a /run/qdt of its own, mounted so.
run_confined() {
  cat >"$work/confined.sh" <<'END'
mount --make-rprivate /
mkdir -p /run/qdt
mount -t tmpfs -o "$1" confined /run/qdt
[ "$2" = later ] || dd if=/dev/zero of=/run/qdt/filler bs=4k 2>/dev/null
shift 2
exec "$@"
END
  run "$1" "$1" unshare -m bash "$work/confined.sh" "${@:3}" "$2" --config "$work/$1.yaml"
}
within() { nsenter -t "$1" -m "${@:2}"; }  # PID COMMAND...
complaints() { grep -c 'No space left on device\|Read-only file system\|file system is full' "$work/$1.log" || true; }
connected() { wait_for 10 grep -q 'connected: this host is' "$work/client.log"; }

write_server_config
run_confined server "$build/qdt-server" ro now
server_pid=$pid
wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server does not start with a read-only /run"
check_equal "a server that starts with a read-only /run says so once for each file" "$(complaints server)" 2
stop "$server_pid"
check_unchanged "its host is as it was" server
: >"$work/server.log"
run_confined server "$build/qdt-server" size=16k now
server_pid=$pid
wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server does not start with a full /run"
check_equal "a server that starts with a full /run says so once" "$(complaints server)" 1

write_client_config client 'route_mode: default' 'kill_switch: true'
: >"$work/client.log"
run_confined client "$build/qdt-client" size=16k now
connected || fail "the client does not start with a full /run"
check "a client that starts with a full /run works" -- on client ping -c 1 -W 2 10.8.0.1
sleep 5
check "it says so once for each file" -- test "$(complaints client)" -le 4
stop "$pid"
check_equal "it ends in order" "$status" 0
check_unchanged "its host is as it was" client

: >"$work/client.log"
write_client_config client 'route_mode: default'
run_confined client "$build/qdt-client" size=64k later
client_pid=$pid
connected || fail "the client is not connected"
within "$client_pid" dd if=/dev/zero of=/run/qdt/filler bs=4k 2>/dev/null || true
check "its status is told all the same" -- on client nsenter -t "$client_pid" -m "$build/qdt-client" status
# A server that comes back lends another address: what is undone changes while nothing can be noted.
stop "$server_pid"
check_unchanged "the server's host is as it was" server
rm "$work/server.leases"
start_server 'pool_cidr: 10.9.0.0/24'
check "the client is connected again, with another address" -- \
  wait_for 20 grep -q 'connected: this host is 10.9.0' "$work/client.log"
check "and works" -- on client ping -c 1 -W 2 10.9.0.1
check "the log says that /run is full" -- grep -q 'No space left' "$work/client.log"
sleep 5
check "once for each file" -- test "$(complaints client)" -le 2
has_no_halves() { ! within "$client_pid" ls /run/qdt | grep '\.new$'; }
check "no half-written file stays there" -- wait_for 2 has_no_halves
within "$client_pid" rm /run/qdt/filler
stop "$client_pid"
check_equal "it ends in order" "$status" 0
check_unchanged "its host is as it was" client
