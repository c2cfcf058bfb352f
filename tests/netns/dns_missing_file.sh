#!/usr/bin/env bash
# A host without /etc/resolv.conf has one while the tunnel is up, and none afterwards; likewise when
# the client is killed. A file that somebody else makes meanwhile stays.
. "$(dirname "$0")/topology.sh"

topology
private_etc client
start_server 'dns: [192.0.2.53]'
has_ours() { in_etc grep -q 'nameserver 192.0.2.53' /etc/resolv.conf; }

umask 077  # as a service may have it
start_client_in_etc client 'route_mode: default'
umask 022
check "there is a file" -- has_ours
check_equal "that all may read" "$(in_etc stat -c %a /etc/resolv.conf)" 644
in_etc rm /etc/resolv.conf
wait_for 8 has_ours || fail "a file that was removed is not made again"
say "ok: a file that was removed is made again"
stop "$client_pid"
check "it is gone in the end" -- in_etc test ! -e /etc/resolv.conf

start_client_in_etc client 'route_mode: default'
crash "$client_pid"
check "a crash leaves it" -- has_ours
in_etc "$build/qdt-client" --cleanup >"$work/cleanup.log" 2>&1
check "--cleanup removes it" -- in_etc test ! -e /etc/resolv.conf

start_client_in_etc client 'route_mode: default'
in_etc sh -c 'echo "nameserver 198.51.100.1" >/etc/resolv.conf'
wait_for 8 has_ours || fail "name servers are not set again"
stop "$client_pid"
check_equal "a file that was made meanwhile stays" "$(in_etc cat /etc/resolv.conf)" 'nameserver 198.51.100.1'
