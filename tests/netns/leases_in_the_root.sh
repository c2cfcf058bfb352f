#!/usr/bin/env bash
# A server whose server.yaml lies in the root of its file system, as in a small container, keeps its leases
# there: the first start says nothing of damage, and the next one knows them.
. "$(dirname "$0")/topology.sh"

topology
mkdir -p "$work/tree/programs"
cat >"$work/rooted.sh" <<'END'
mount --make-rprivate /
for folder in bin dev etc lib lib64 proc run sbin sys usr; do
  [ ! -e "/$folder" ] || { mkdir -p "$1/$folder" && mount --rbind "/$folder" "$1/$folder"; }
done
mount --bind "$2" "$1/programs" && exec chroot "$1" /programs/qdt-server --config /server.yaml
END
start_rooted() {
  write_server_config
  cp -p "$work"/server.{yaml,crt,key} "$work/tree"
  : >"$work/server.log"
  run server server unshare -m bash "$work/rooted.sh" "$work/tree" "$build"
  server_pid=$pid
  wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
}

start_rooted
check_lacks "the first start finds no damage" "$(cat "$work/server.log")" damaged
start_client client 'route_mode: cidr'
mine=$(lease client)
check "the lease is saved" -- wait_for 5 grep -q "^$mine " "$work/tree/server.leases"
stop "$client_pid"
stop "$server_pid"
check_equal "an orderly end" "$status" 0

start_rooted
check_contains "the next start knows it" "$(cat "$work/server.log")" "/server.leases: 1 leases are kept"
start_client client 'route_mode: cidr'
check_equal "and the client gets it again" "$(lease client)" "$mine"
