#!/usr/bin/env bash
# A round trip of three seconds and jitter, as over a slow satellite or GPRS: the client connects with
# its default timeouts, the session stays, and carries pings and a transfer.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology
bad_path --delay 1450ms --jitter 100ms
start_server
mkdir "$work/files"
head -c 20000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
know_neighbours
run_client client 'route_mode: default' "data_plane: ${PLANE:-auto}"
check "the client connects" -- wait_for 12 grep -q 'connected: this host is' "$work/client.log"
run client copy curl -sS --fail --max-time 20 -o "$work/copy" "http://$web_address:8000/file"
fetch_pid=$pid
try client ping -n -q -c 8 -i 0.5 -W 6 10.8.0.1
check_contains "no ping is lost" "$output" " 0% packet loss"
ended "$fetch_pid" 20
check_equal "a transfer goes through" "$status" 0
check "byte for byte" -- cmp "$work/files/file" "$work/copy"
check_lacks "the session is not given up" "$(cat "$work/client.log")" "the connection was lost"
check_lacks "and looks for no other port" "$(cat "$work/client.log")" "nobody answers: the session goes on"
