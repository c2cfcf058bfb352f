#!/usr/bin/env bash
# A program that rewrites resolv.conf all the time is not fought: the client tells so once, and sets its
# name servers once a minute from then on. In the end, that program's file is there.
. "$(dirname "$0")/topology.sh"

topology
private_etc client
in_etc sh -c 'printf "nameserver 198.51.100.1\n" >/etc/resolv.conf'
start_server 'dns: [192.0.2.53]'
content() { in_etc cat /etc/resolv.conf; }
start_client_in_etc client 'route_mode: default'
nsenter -t "$etc_pid" -m -n -- sh -c 'while sleep 0.3; do printf "nameserver 198.51.100.9\n" >/etc/resolv.conf; done' &
writer=$!
wait_for 30 grep -q 'another program keeps changing' "$work/client.log" || fail "no word of it"
before=$(grep -c 'somebody changed the name servers' "$work/client.log")
sleep 3
check_equal "it is left alone then" "$(grep -c 'somebody changed the name servers' "$work/client.log")" "$before"
check_equal "the log tells once" "$(grep -c 'another program keeps changing' "$work/client.log")" 1
stop "$client_pid"
kill "$writer"
check_equal "in the end, its file is there" "$(content)" 'nameserver 198.51.100.9'
