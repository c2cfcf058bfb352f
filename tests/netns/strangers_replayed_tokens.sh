#!/usr/bin/env bash
# Somebody at two addresses collects Retry tokens and begins handshakes with them that never go on, 9,000 a
# second: first with the same tokens over and over, then with new ones all the time. Clients from elsewhere
# come in at once, and one behind his own address comes in as well.
. "$(dirname "$0")/topology.sh"

topology 3
start_server
ip -n "$(ns client2)" addr add 198.51.101.3/24 dev eth0

# replay ARGUMENTS...: from both addresses, in the background; its PID in $replay_pid.
replay() {
  : >"$work/replay.log"
  run client2 replay "$build/qdt-replay" "$server_address:443" --source 198.51.101.2 --source 198.51.101.3 \
    --per-second 9000 --seconds 60 "$@"
  replay_pid=$pid
}
# comes HOST: how many ms a client needs to get its session, as its user starts it.
comes() {
  local begun=${EPOCHREALTIME/./}
  : >"$work/$1.log"
  start_client "$1" 'route_mode: none'
  took=$(((${EPOCHREALTIME/./} - begun) / 1000))
  stop "$client_pid"
}
# attack WORDS ARGUMENTS...
attack() {
  local host
  replay "${@:2}"
  wait_for 10 grep -q tokens "$work/replay.log" || fail "no tokens"
  sleep 1.5
  for host in client3 client client2; do
    comes "$host"
    check "$1: $host is in after $took ms" -- test "$took" -le 2000
  done
  check "$1: $(metric qdt_strangers) strangers are held, and no more" -- test "$(metric qdt_strangers)" -le 224
  stop "$replay_pid"
  say "$(tail -n 1 "$work/replay.log"); unproven $(metric 'qdt_drops_total{reason="unproven"}'), crowded $(metric 'qdt_drops_total{reason="crowded"}')"
}

attack "the same tokens" --tokens 500
attack "new tokens" --tokens 50 --fresh 0.5
