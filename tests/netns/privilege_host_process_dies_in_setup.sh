#!/usr/bin/env bash
# The host process is killed while the host is set up for the first session: exit status 4, as at any other time.
. "$(dirname "$0")/topology.sh"

topology
start_server
printf '#!/bin/sh\necho begun >%s\nsleep 5\n' "$work/up" >"$work/hook"
chmod 755 "$work/hook"
run_client client 'route_mode: none' "up: [$work/hook]"
check "up runs" -- wait_for 10 test -s "$work/up"
kill -KILL "$(host_process "$client_pid")"
ended "$client_pid"
check_equal "4: nobody looks after the host any more" "$status" 4
