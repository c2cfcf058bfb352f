#!/usr/bin/env bash
# The server with what docker-compose.yml gives it, and no more: a few capabilities, no_new_privs, a /proc/sys that
# cannot be written. It serves, becomes its own user, stays healthy, and leaves nothing behind.
. "$(dirname "$0")/topology.sh"

topology
compose=$here/../../docker-compose.yml
caps=-all,$(sed -n 's/^ *cap_add: \[\(.*\)\]/\1/p' "$compose" | tr -d ' ' | tr '[:upper:]' '[:lower:]' |
  sed 's/^/+/; s/,/,+/g')
check_contains "the file's capabilities are read" "$caps" "-all,+net_admin,"
check "all others are dropped" -- grep -q 'cap_drop: \[ALL\]' "$compose"
check "no_new_privs is set" -- grep -q 'no-new-privileges:true' "$compose"
check "the device is passed on" -- grep -q 'devices: \[/dev/net/tun\]' "$compose"
cat >"$work/container.sh" <<'END'
mount --make-rprivate / && mount -t tmpfs run /run && mkdir /run/qdt
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
exec setpriv --bounding-set="$1" --inh-caps=-all --ambient-caps=-all --no-new-privs "${@:2}"
END
# Docker's daemon has it on.
on server sysctl -qw net.ipv4.ip_forward=1
remember server
start_container() {
  write_server_config "$@"
  : >"$work/server.log"
  run server server unshare -m bash "$work/container.sh" "$caps" "$build/qdt-server" --config "$work/server.yaml"
  server_pid=$pid
  wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
}
start_container 'send_workers: 2'
said=$(cat "$work/server.log")
check_lacks "the kernel's programs are loaded" "$said" "needs CAP_BPF"
check_equal "it is another user" "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$server_pid/status")" \
  "$(id -u qdt 2>/dev/null || echo 65529)"
check_equal "with no way back" "$(sed -n 's/^CapBnd:\t//p' "/proc/$server_pid/status")" 0000000000001000
start_client client
check "a client reaches the world" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
sleep 4.5  # two looks at the host
check "the HEALTHCHECK is content" -- on server "$here/../../deploy/docker/qdt-health"
check "a lease is kept" -- test -s "$work/server.leases"
stop "$client_pid"
stop "$server_pid"
check_equal "it ends in order" "$status" 0
check_unchanged "and the host is as it was" server

on server sysctl -qw net.ipv4.ip_forward=0
: >"$work/server.log"
run server server unshare -m bash "$work/container.sh" "$caps" "$build/qdt-server" --config "$work/server.yaml"
ended "$pid"
check_equal "it does not serve a host that does not forward" "$status" 1
check_contains "and says what to do there" "$(cat "$work/server.log")" "set it there: sysctl -w net.ipv4.ip_forward=1"
