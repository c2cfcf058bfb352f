#!/usr/bin/env bash
# /run/qdt and the folder of the configuration are read-only: both programs work, and say once what is
# not kept.
. "$(dirname "$0")/topology.sh"

topology
remember client
remember server

cat >"$work/confined.sh" <<'END'
mount --make-rprivate /
mkdir -p /run/qdt
mount -t tmpfs -o ro confined /run/qdt
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
shift
exec "$@"
END
# run_confined HOST PROGRAM: with both read-only.
run_confined() { run "$1" "$1" unshare -m bash "$work/confined.sh" "$work/state" "$2" --config "$work/state/$1.yaml"; }
complaints() { grep -c 'Read-only file system' "$work/$1.log" || true; }

write_server_config
write_client_config client 'route_mode: default'
mkdir "$work/state"
cp "$work"/{server,client}.yaml "$work"/server.{crt,key} "$work/state"
run_confined server "$build/qdt-server"
server_pid=$pid
wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server does not start"
run_confined client "$build/qdt-client"
client_pid=$pid
wait_for 10 grep -q 'connected: this host is' "$work/client.log" || fail "the client does not start"
check "the tunnel works" -- on client ping -c 1 -W 2 10.8.0.1
sleep 6
check "the server says once for each file what is not kept" -- test "$(complaints server)" -le 5
check "so does the client" -- test "$(complaints client)" -le 3
check "it says that it is so" -- test "$(complaints client)" -ge 1
stop "$client_pid"
check_equal "the client ends in order" "$status" 0
check_unchanged "its host is as it was" client
stop "$server_pid"
check_equal "the server ends in order" "$status" 0
check_unchanged "its host is as it was" server
