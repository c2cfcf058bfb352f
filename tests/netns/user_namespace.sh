#!/usr/bin/env bash
# In a user namespace that was made without privilege (unshare -Ur) there is one user. The server says so,
# and what helps; with user: root it serves there.
. "$(dirname "$0")/topology.sh"

topology
chmod 755 "$work"
mknod -m 666 "$work/tun" c 10 200  # as udev has it
mkdir -m 755 "$work/etc-qdt"
cat >"$work/inside.sh" <<'END'
mount --bind "$1/tun" /dev/net/tun && mount -t tmpfs run /run && ip link set lo up
exec "${@:2}"
END
# start_inside [YAML...]: as an ordinary user, in a namespace of his.
start_inside() {
  write_server_config "$@"
  cp "$work"/server.{yaml,crt,key} "$work/etc-qdt"
  chown -R 65521 "$work/etc-qdt"
  : >"$work/server.log"
  run server server setpriv --reuid=65521 --regid=65521 --clear-groups \
    unshare -Urnm bash "$work/inside.sh" "$work" "$build/qdt-server" --config "$work/etc-qdt/server.yaml"
  server_pid=$pid
}

start_inside
ended "$server_pid" 15
check_equal "another user cannot be had there" "$status" 1
said=$(cat "$work/server.log")
check_contains "it says why" "$said" "this user namespace does not have user and group ID"
check_contains "and what helps" "$said" "or configure user: root"
check_lacks "capabilities, which it has, are not asked for" "$said" "give the process CAP_SETUID"

start_inside 'user: root'
wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server does not serve as root"
say "ok: with user: root it serves"
stop "$server_pid"
check_equal "and ends in order" "$status" 0
