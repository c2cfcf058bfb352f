#!/usr/bin/env bash
# No signal that ends a program by default leaves the host as it is: it ends both programs in order,
# or does nothing.
. "$(dirname "$0")/topology.sh"

topology
remember client
remember server
start_server

for signal in HUP QUIT PWR XCPU; do
  start_client client 'route_mode: default'
  stop "$client_pid" "$signal"
  check_equal "SIG$signal ends the client in order" "$status" 0
  check_contains "the log says so" "$(cat "$work/client.log")" "SIG$signal: stopping"
  check_unchanged "its host is as it was" client
done

for signal in QUIT PWR XCPU; do
  stop "$server_pid" "$signal"
  check_equal "SIG$signal ends the server in order" "$status" 0
  check_unchanged "its host is as it was" server
  start_server
done

start_client client 'route_mode: default'
for signal in PIPE USR1 USR2 ALRM VTALRM PROF IO STKFLT XFSZ TTIN TTOU RTMIN RTMAX; do
  kill -"$signal" "$client_pid" "$server_pid"
done
check "the other signals do nothing" -- on client ping -c 3 -i 0.2 -W 2 10.8.0.1
check "the client runs" -- kill -0 "$client_pid"
check "so does the server" -- kill -0 "$server_pid"

# Its programs are to have the signals as they are by default, whatever we do with them.
hook=$work/hook
printf '#!/bin/sh\ngrep -E "^Sig(Ign|Blk)" /proc/self/status | cut -f2 >"%s"\n' "$work/signals" >"$hook"
chmod 700 "$hook"
stop "$client_pid"
start_client client "up: [$hook]"
check_equal "the hook has run" "$(wc -l <"$work/signals")" 2
while read -r mask; do
  # 32 and 33 are the C library's own: it does not let a program change them.
  check_equal "the hook has no signal blocked or ignored" $((16#$mask & ~16#180000000)) 0
done <"$work/signals"
stop "$client_pid"
check_unchanged "the client's host is as it was" client
