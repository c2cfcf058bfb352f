#!/usr/bin/env bash
# `qdt-client | tee log` and Ctrl-C: tee ends first, and nobody reads what the client has to say. It
# ends in order all the same; while it runs, a reader that goes away costs nothing but the log.
. "$(dirname "$0")/topology.sh"

topology
remember client
remember server
mkfifo "$work/pipe"

# run_piped HOST PROGRAM: with a reader, which is ended with "kill $reader"
run_piped() {
  cat "$work/pipe" >>"$work/$1.log" &
  reader=$!
  ip netns exec "$(ns "$1")" "$build/$2" --config "$work/$1.yaml" >"$work/pipe" 2>&1 &
  pid=$!
}
lose_reader() {
  kill "$reader"
  wait "$reader" 2>/dev/null || true
}

write_server_config
run_piped server qdt-server
server_pid=$pid
wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
lose_reader

for signal in INT TERM HUP; do
  : >"$work/client.log"
  write_client_config client 'route_mode: default'
  run_piped client qdt-client
  wait_for 10 grep -q 'connected: this host is' "$work/client.log" || fail "the client is not connected"
  lose_reader
  check "a client without a reader of its log works" -- on client ping -c 1 -W 2 10.8.0.1
  stop "$pid" "$signal"
  check_equal "SIG$signal ends it in order" "$status" 0
  check_unchanged "its host is as it was" client
done

check "the server's reader has gone long ago" -- kill -0 "$server_pid"
stop "$server_pid"
check_equal "SIGTERM ends it in order" "$status" 0
check_unchanged "its host is as it was" server
