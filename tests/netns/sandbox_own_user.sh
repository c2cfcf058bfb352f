#!/usr/bin/env bash
# Started by root both programs serve as a user of their own, with CAP_NET_ADMIN alone and no way back, and
# so they do when a service manager starts them as a user with a few capabilities, as the systemd units do.
. "$(dirname "$0")/topology.sh"

topology
value() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
# confined WORDS PID USER: what the kernel says of the process, and of every thread that moves packets.
confined() {
  local task
  check_equal "$1: its user" "$(value "$2" Uid)" "$3	$3	$3	$3"
  check_equal "$1: no other group" "$(value "$2" Groups | tr -d ' ')" "${4-$3}"
  for set in CapPrm CapEff; do
    check_equal "$1: $set is CAP_NET_ADMIN" "$(value "$2" $set)" 0000000000001000
  done
  check_equal "$1: nothing to inherit" "$(value "$2" CapAmb) $(value "$2" CapInh)" "0000000000000000 0000000000000000"
  check_equal "$1: no_new_privs" "$(value "$2" NoNewPrivs)" 1
  check_equal "$1: a filter" "$(value "$2" Seccomp)" 2
  check_equal "$1: no core files" "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$2/limits")" "0 0"
  for task in /proc/"$2"/task/*; do
    case $(cat "$task/comm") in qdt-shard-* | qdt-client)
      [ "${task##*/}" = "$2" ] || check_equal "$1: $(cat "$task/comm") has a stricter one" \
        "$(sed -n 's/^Seccomp_filters:[[:space:]]*//p' "$task/status")" 2 ;;
    esac
  done
}
bound() { check_equal "$1: no capability comes back" "$(value "$2" CapBnd)" 0000000000001000; }

own=$(id -u qdt 2>/dev/null || echo 65529)
group=$(id -g qdt 2>/dev/null || echo 65529)
start_server
start_client
confined "the server" "$server_pid" "$own" "$group"
bound "the server" "$server_pid"
confined "the client" "$client_pid" "$own" "$group"
bound "the client" "$client_pid"
check "the tunnel works" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
check "other processes of the user cannot read its memory" -- \
  eval "! setpriv --reuid=$own --regid=$group --clear-groups head -c 1 /proc/$server_pid/environ"
stop "$client_pid"
stop "$server_pid"

# root, on request.
start_server 'user: root'
check_contains "user: root is warned of" "$(cat "$work/server.log")" "warning: user: root: "
check_equal "and is root" "$(value "$server_pid" Uid)" "0	0	0	0"
check_equal "with one capability" "$(value "$server_pid" CapEff)" 0000000000001000
stop "$server_pid"
write_server_config 'user: nobody-of-that-name'
try server "$build/qdt-server" --config "$work/server.yaml"
check_equal "another user has to be there" "$status" 1
check_contains "it says how to make it" "$output" "useradd --system"

# As a service manager does it.
cat >"$work/service.sh" <<'END'
mount --make-rprivate /
mkdir -p /run/qdt
mount -t tmpfs -o "uid=65521,gid=65521,mode=755" own /run/qdt
mknod -m 666 /run/qdt/tun c 10 200 && mount --bind /run/qdt/tun /dev/net/tun  # as udev has it
exec setpriv --reuid=65521 --regid=65521 --clear-groups --bounding-set="-all,$1" \
  --inh-caps="-all,$1" --ambient-caps="-all,$1" --no-new-privs "${@:2}"
END
mkdir -m 755 "$work/etc-qdt"
chmod 755 "$work"
write_server_config
cp "$work"/server.{yaml,crt,key} "$work/etc-qdt"
write_client_config client
cp "$work/client.yaml" "$work/etc-qdt"
chown -R 65521 "$work/etc-qdt"
: >"$work/server.log"
run server server unshare -m bash "$work/service.sh" +net_admin,+net_bind_service \
  "$build/qdt-server" --config "$work/etc-qdt/server.yaml"
server_pid=$pid
wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the service does not start"
: >"$work/client.log"
# As the unit lends it.
chgrp 65521 "$(etc client resolv.conf)" && chmod g+w "$(etc client resolv.conf)"
run client client unshare -m bash "$work/service.sh" +net_admin \
  "$build/qdt-client" --config "$work/etc-qdt/client.yaml"
client_pid=$pid
wait_for 10 grep -q 'connected: this host is' "$work/client.log" || fail "the client's service does not connect"
confined "the server's service" "$server_pid" 65521 ""
confined "the client's service" "$client_pid" 65521 ""
check "its tunnel works" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
check_contains "name servers are set" "$(on client cat /etc/resolv.conf)" "1.1.1.1"
stop "$client_pid"
check_equal "the client ends in order" "$status" 0
stop "$server_pid"
check_equal "the server ends in order" "$status" 0
check_lacks "nothing was refused" "$(cat "$work"/*.log)" "refused: "
