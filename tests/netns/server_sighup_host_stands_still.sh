#!/usr/bin/env bash
# SIGHUP to a server whose host process stands still (SIGSTOP): the server serves on, and a SIGTERM in that
# time ends it at once. Once the host process goes on, it puts the host back.
. "$(dirname "$0")/topology.sh"

topology
remember server
start_server
start_client client 'route_mode: cidr'
host=$(host_process "$server_pid")
kill -STOP "$host"
kill -HUP "$server_pid"
sleep 0.3  # it has asked for the files
check "the tunnel works meanwhile" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
kill -TERM "$server_pid"
ended "$server_pid" 12
check_equal "a server that is told to stop does, with an error" "$status" 1
check_contains "the files were not waited for" "$(cat "$work/server.log")" "SIGHUP: nothing is changed: "
check_contains "it says what becomes of the host" "$(cat "$work/server.log")" "puts the host back once it goes on"
kill -CONT "$host"
check "the host process ends then" -- wait_for 5 is_gone "$host"
check_unchanged "and the host is as it was" server

start_server
host=$(host_process "$server_pid")
kill -STOP "$host"
kill -HUP "$server_pid"
sleep 0.3
kill -HUP "$server_pid"
sleep 0.3
kill -CONT "$host"
times_read() { grep -c 'and the certificate again: the same certificate' "$work/server.log"; }
has_read() { test "$(times_read)" -ge 1; }
has_read_twice() { test "$(times_read)" -eq 2; }
check "one that goes on in time is waited for" -- wait_for 5 has_read
check "a second SIGHUP waits for the first" -- wait_for 5 has_read_twice
check_lacks "and ends it not" "$(cat "$work/server.log")" "nothing is changed"
stop "$server_pid"
check_equal "and the end is in order" "$status" 0
