#!/usr/bin/env bash
# Whatever the umask of the start, /run/qdt and what is in it are as they are to be: nobody else reads
# anything, and the group qdt, where there is one, may ask by the control socket.
. "$(dirname "$0")/topology.sh"

topology
socket_mode=$(getent group qdt >/dev/null && echo 660 || echo 600)
# A /run without /run/qdt, as after the host's start.
cat >"$work/fresh.sh" <<'END'
mount --make-rprivate / && mount -t tmpfs run /run && umask "$1" && exec "${@:2}"
END
# mode PID PATH: as that process sees it.
mode() { nsenter -t "$1" -m stat -c %a "$2"; }
# modes WORDS PID: what is in its /run/qdt, by the end of the names.
modes() {
  local path
  check_equal "$1: /run/qdt" "$(mode "$2" /run/qdt)" 755
  for path in $(nsenter -t "$2" -m find /run/qdt -type f -o -type s); do
    case $path in
      *.sock) check_equal "$1: the control socket" "$(mode "$2" "$path")" "$socket_mode" ;;
      *) check_equal "$1: ${path##*/}" "$(mode "$2" "$path")" 600 ;;
    esac
  done
}

for mask in 077 000; do
  write_server_config
  : >"$work/server.log"
  run server server unshare -m bash "$work/fresh.sh" "$mask" "$build/qdt-server" --config "$work/server.yaml"
  server_pid=$pid
  wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
  write_client_config client
  : >"$work/client.log"
  run client client unshare -m bash "$work/fresh.sh" "$mask" "$build/qdt-client" --config "$work/client.yaml"
  client_pid=$pid
  wait_for 10 grep -q 'connected: this host is' "$work/client.log" || fail "the client is not connected"
  modes "umask $mask, the server" "$server_pid"
  modes "umask $mask, the client" "$client_pid"
  check_equal "umask $mask: the server's secret" "$(stat -c %a "$work/server.secret")" 600
  wait_for 5 test -e "$work/server.leases" || fail "there are no leases"
  check_equal "umask $mask: its leases" "$(stat -c %a "$work/server.leases")" 600
  status=0
  output=$(nsenter -t "$client_pid" -m -n setpriv --reuid=65534 --regid=65534 --clear-groups \
    "$build/qdt-client" status 2>&1) || status=$?
  check_equal "umask $mask: another user may not ask" "$status" 1
  check_contains "umask $mask: and is told who may" "$output" "root may ask, and the members of the group qdt"
  stop "$client_pid"
  stop "$server_pid"
  rm "$work"/server.{secret,leases}
done
