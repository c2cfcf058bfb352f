#!/usr/bin/env bash
# DHCP writes resolv.conf anew while the tunnel is up, in place or by another file: the tunnel's name
# servers come back on top, and in the end those of DHCP are there, not those of before; the
# search list is followed at once. Lines that somebody adds are kept.
. "$(dirname "$0")/topology.sh"

topology
private_etc client
in_etc sh -c 'printf "search old.test\nnameserver 198.51.100.1\n" >/etc/resolv.conf'
start_server 'dns: [192.0.2.53]'
start_client_in_etc client 'route_mode: default'
content() { in_etc cat /etc/resolv.conf; }
has_ours() { [ "$(content | grep ^nameserver)" = 'nameserver 192.0.2.53' ]; }
has_ours_and_search() { has_ours && content | grep -qx "search $1"; }
check "the tunnel's name servers are in force" -- has_ours

in_etc sh -c 'printf "search new.test\nnameserver 198.51.100.2\n" >/etc/resolv.conf'
wait_for 8 has_ours_and_search new.test || fail "after a change in place they are not set again"
in_etc sh -c 'cd /etc; printf "search newer.test\nnameserver 198.51.100.3" >new; mv new resolv.conf'
wait_for 8 has_ours_and_search newer.test || fail "after another file has come they are not set again"
in_etc sh -c 'echo "options rotate" >>/etc/resolv.conf'
sleep 3
check "they are in force, and the search list is the newest" -- has_ours_and_search newer.test
stop "$client_pid"
check_equal "in the end, what was written last is there" "$(content)" \
  $'search newer.test\nnameserver 198.51.100.3\noptions rotate'
