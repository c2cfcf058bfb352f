#!/usr/bin/env bash
# Standard output and error are closed, or lead to a full disk: both programs work, and nothing that
# they print goes where it does not belong.
. "$(dirname "$0")/topology.sh"

topology
remember client
remember server
write_server_config
run_with() {  # STREAMS HOST PROGRAM
  ip netns exec "$(ns "$2")" sh -c "exec \"$build/$3\" --config \"$work/$2.yaml\" $1" &
  pid=$!
}
run_with '<&- >&- 2>&-' server qdt-server
server_pid=$pid
check "a server without standard streams starts" -- wait_for 10 fetch server http://127.0.0.1:9436/healthz

is_null() { [ "$(readlink "/proc/$1/fd/$2")" = /dev/null ]; }
up() { on client ping -c 1 -W 1 10.8.0.1; }
for streams in '<&- >&- 2>&-' '>/dev/full 2>&1' '2>&-'; do
  write_client_config client 'route_mode: default'
  run_with "$streams" client qdt-client
  client_pid=$pid
  check "a client with $streams connects" -- wait_for 10 up
  case $streams in *'2>&-'*) check "its standard error leads nowhere" -- is_null "$client_pid" 2 ;; esac
  stop "$client_pid"
  check_equal "it ends in order" "$status" 0
  check_unchanged "its host is as it was" client
done
check "the server's standard error leads nowhere" -- is_null "$server_pid" 2
stop "$server_pid"
check_equal "the server ends in order" "$status" 0
check_unchanged "its host is as it was" server
