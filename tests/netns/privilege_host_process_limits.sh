#!/usr/bin/env bash
# The process that changes the host can do that and little else: few capabilities, no new privileges,
# no calls that serve an intruder alone, files to be written in few folders. Hook programs have the rights
# that the client was started with.
. "$(dirname "$0")/topology.sh"

topology
remember client
start_server
start_client client 'route_mode: default'

status_line() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
for program in server client; do
  main=${program}_pid
  host=$(host_process "${!main}")
  check_equal "the $program's host process can gain nothing" "$(status_line "$host" NoNewPrivs)" 1
  check_equal "its calls are filtered" "$(status_line "$host" Seccomp)" 2
  # CAP_CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, KILL, NET_ADMIN, BPF
  check_equal "its capabilities are few" "$(status_line "$host" CapEff)" 000000800000102f
  check_equal "and no program brings more" "$(status_line "$host" CapBnd)" 000000800000102f
done

say "--- it still does its work"
on client ip link del qdt0
reaches() { on client ping -c 1 -W 1 "$web_address"; }
check "a deleted device is made again" -- wait_for 5 reaches
on server ip link del qdt0
check "the server's, too" -- wait_for 5 reaches
is_routed() { on client ip route show table 5325908 | grep -q 'default dev qdt0'; }
has_table() { on server nft list tables | grep -q 'qdt_qdt0$'; }
on client ip route flush table 5325908
on server nft flush ruleset
check "routes are put back" -- wait_for 5 is_routed
check "and tables" -- wait_for 5 has_table
check "packets go on" -- wait_for 5 reaches
stop "$client_pid"
check_unchanged "and everything in the end" client

say "--- hooks"
printf '#!/bin/sh\ngrep CapBnd /proc/self/status >%s/up\n' "$work" >"$work/hook"
chmod 700 "$work/hook"
start_client client 'route_mode: none' "up: [$work/hook]"
check_equal "a hook has all the rights that the client was started with" "$(cat "$work/up")" \
  "$(grep CapBnd /proc/self/status)"
check_contains "which is told" "$(cat "$work/client.log")" 'run with all the rights'
