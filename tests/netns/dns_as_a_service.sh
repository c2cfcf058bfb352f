#!/usr/bin/env bash
# A client that a service manager starts has no right over other users' files. Its unit lends it an
# /etc/resolv.conf of root's, and takes it back. One that takes that file's place meanwhile cannot be
# written: the client says what to do, and goes on.
. "$(dirname "$0")/topology.sh"

topology
private_etc client
start_server 'dns: [192.0.2.53]'
chmod 755 "$work"
mknod -m 666 "$work/tun" c 10 200  # as udev has it
users='nameserver 198.51.100.7'

# unit KEY: runs the commands of that line of the unit, as root, for the user of this test.
unit() {
  local command
  command=$(sed -n "s/^$1=+-\(.*resolv.conf.*\)/\1/p" "$here/../../deploy/systemd/qdt-client.service.in")
  [ -n "$command" ] || fail "the unit has no $1 for resolv.conf"
  command=${command//-group qdt/-group 65521}
  in_etc sh -c "${command//chgrp qdt/chgrp 65521}"
}
cat >"$work/service.sh" <<'END'
mount --make-rprivate / && mkdir -p /run/qdt
mount -t tmpfs -o uid=65521,gid=65521,mode=755 own /run/qdt && mount --bind "$1" /dev/net/tun
exec setpriv --reuid=65521 --regid=65521 --clear-groups --bounding-set=-all,+net_admin \
  --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin --no-new-privs "${@:2}"
END
start_service() {
  write_client_config client 'route_mode: default'
  chown 65521 "$work/client.yaml"
  : >"$work/client.log"
  nsenter -t "$etc_pid" -m -n -- unshare -m bash "$work/service.sh" "$work/tun" \
    "$build/qdt-client" --config "$work/client.yaml" >>"$work/client.log" 2>&1 &
  client_pid=$!
  wait_for 10 grep -q 'connected: this host is' "$work/client.log" || fail "the service does not connect"
}
has_ours() { in_etc grep -q 'nameserver 192.0.2.53' /etc/resolv.conf; }
facts() { in_etc stat -c '%U %G %a' /etc/resolv.conf; }

in_etc sh -c "echo '$users' >/etc/resolv.conf && chmod 644 /etc/resolv.conf"
unit ExecStartPre
start_service
check "name servers are set" -- has_ours
stop "$client_pid"
unit ExecStopPost
check_equal "the user's are back" "$(in_etc cat /etc/resolv.conf)" "$users"
check_equal "and the file is root's alone" "$(facts)" "root root 644"

say "--- somebody else's file"
in_etc chown 12345:12345 /etc/resolv.conf
unit ExecStartPre
unit ExecStopPost
check_equal "is left alone" "$(in_etc stat -c '%u %g %a' /etc/resolv.conf)" "12345 12345 644"
in_etc chown 0:0 /etc/resolv.conf

say "--- another file takes its place"
unit ExecStartPre
start_service
check "name servers are set" -- has_ours
in_etc sh -c "umask 022 && echo '$users' >/etc/new && mv /etc/new /etc/resolv.conf"
wait_for 8 grep -q "permission denied: it is another user's" "$work/client.log" ||
  fail "the client does not say that it cannot write"
check_contains "it says what helps" "$(cat "$work/client.log")" "or give it CAP_DAC_OVERRIDE"
check "and goes on" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
stop "$client_pid"
unit ExecStopPost
check_equal "the new file is as it was" "$(in_etc cat /etc/resolv.conf) $(facts)" "$users root root 644"
