#!/usr/bin/env bash
# A service that may load no programs into the kernel (no CAP_BPF, no bpf(2)) has those that the step before
# its start has left with the service manager: packets come to their shards, and what waits in the TUN device
# is counted, also once the device was made again. Without that step it serves all the same, and says so.
. "$(dirname "$0")/topology.sh"

topology
chmod 755 "$work"
mknod -m 666 "$work/tun" c 10 200  # as udev has it
mkdir -m 755 "$work/etc-qdt"
step=$(sed -n 's/^ExecStartPre=+-@CMAKE_INSTALL_PREFIX@.*qdt-server \(load-programs\)$/\1/p' \
  "$here/../../deploy/systemd/qdt-server.service.in")
check_equal "the server's unit has the step" "$step" load-programs
check "so has the client's" -- grep -q '^ExecStartPre=+-.*qdt-client load-programs$' \
  "$here/../../deploy/systemd/qdt-client.service.in"

caps=-all,+net_admin,+net_bind_service
cat >"$work/service.sh" <<'END'
mount --make-rprivate / && mkdir -p /run/qdt
mount -t tmpfs -o uid=65521,gid=65521,mode=755 own /run/qdt && mount --bind "$1" /dev/net/tun
exec python3 "$2" "$3" "$4" "$5 load-programs" -- setpriv --reuid=65521 --regid=65521 --clear-groups \
  --bounding-set="$6" --inh-caps="$6" --ambient-caps="$6" --no-new-privs "${@:7}"
END
# LISTEN_PID is that of the service itself: setpriv(1) becomes it.
start_service() {  # kept|none|lost
  write_server_config 'send_workers: 4'
  cp "$work"/server.{yaml,crt,key} "$work/etc-qdt"
  chown -R 65521 "$work/etc-qdt"
  rm -f "$work/notify"
  : >"$work/server.log"
  run server server unshare -m bash "$work/service.sh" "$work/tun" "$here/service_manager.py" "$work" "$1" \
    "$build/qdt-server" "$caps" "$build/qdt-server" --config "$work/etc-qdt/server.yaml"
  server_pid=$pid
  wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the service does not start"
}
strays() { metric 'qdt_stray_total{kind="packet"}'; }

start_service kept
said=$(cat "$work/server.log")
check_contains "the manager has kept them" "$said" "kept: qdt-choice qdt-chooser qdt-counter qdt-counts"
check_lacks "what waits is counted" "$said" "count what waits"
check_lacks "packets come to their shards" "$said" "chooses TUN queues"
host=$(host_process "$server_pid")
check_equal "the main process has none of them" \
  "$(find "/proc/$server_pid/fd" -lname 'anon_inode:bpf-prog' | wc -l)" 0
check_equal "its host process has both" "$(find "/proc/$host/fd" -lname 'anon_inode:bpf-prog' | wc -l)" 2
start_client client 'route_mode: cidr'
check "the tunnel works" -- on client ping -c 3 -i 0.2 -W 2 10.8.0.1

ip -n "$(ns server)" link delete qdt0
made_again() { ip -n "$(ns server)" address show dev qdt0 2>/dev/null | grep -q 10.8.0.1; }
check "a device that was deleted is made again" -- wait_for 8 made_again
check "and the tunnel works" -- wait_for 5 on client ping -c 1 -W 1 10.8.0.1
check_lacks "with the programs" "$(cat "$work/server.log")" "not permitted"
check_equal "no shard had another one's packets" "$(strays)" 0
stop "$client_pid"
stop "$server_pid"
check_equal "it ends in order" "$status" 0

start_service none
said=$(cat "$work/server.log")
check_contains "without them it says what is missing" "$said" "count what waits in the TUN device: not permitted"
check_contains "also for the shards" "$said" "chooses TUN queues: not permitted"
start_client client 'route_mode: cidr'
check "and serves" -- on client ping -c 3 -i 0.2 -W 2 10.8.0.1
stop "$client_pid"
stop "$server_pid"

# The environment names descriptors that are not there: the service takes none of its own for one of them.
start_service lost
check_contains "nor does it take its own descriptors for them" "$(cat "$work/server.log")" \
  "count what waits in the TUN device: not permitted"
start_client client 'route_mode: cidr'
check "and serves then, too" -- on client ping -c 3 -i 0.2 -W 2 10.8.0.1
stop "$client_pid"
stop "$server_pid"
check_equal "it ends in order again" "$status" 0
