#!/usr/bin/env bash
# A server holds little for somebody without the token, and gives it back: gaps in streams, handshakes
# that are not finished, bodies behind the answer and many requests have bounds for each connection.
. "$(dirname "$0")/topology.sh"
. "$here/strangers.sh"

count=60
topology 2
start_server
start_client client2 'route_mode: none' 'tun_name: qdt2'

# They are there, and have nothing but a connection each: the measure of what they hold beyond that.
check_held() {  # KIND WORDS KIB: at most so much for each
  local before grown
  before=$(resident)
  run client "$1" python3 "$here/strangers.py" "$1" "$server_address" 443 "$count"
  wait_for 30 grep -q '^holding' "$work/$1.log" || fail "$1: $(tail -n 3 "$work/$1.log")"
  grown=$((($(resident) - before) / count))
  check "$2: $grown KiB for each" -- test "$grown" -le "$3"
  stop "$pid"
}

check_held gaps "all that windows allow, out of order" 120
check "and none of them has broken a rule" -- grep -q ' 0 closed' "$work/gaps.log"
check_held overruns "gaps in streams and behind the handshake" 120
check_held halves "handshakes that are never finished" 120
check_held bodies "bodies behind the answer" 100
check_held streams "many requests at once" 100

are_gone() { [ "$(metric qdt_strangers)" -eq 0 ] && [ "$(metric qdt_stranger_memory_bytes)" -eq 0 ]; }
check "nothing is kept of them" -- wait_for 25 are_gone
check "the session is still there" -- test "$(metric qdt_sessions_active)" -eq 1
