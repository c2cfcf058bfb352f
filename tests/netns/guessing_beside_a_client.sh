#!/usr/bin/env bash
# Somebody guesses 200 tokens a second from the address of a client, over as many connections as it takes,
# and does not wait for his answers. The client gets in at once all the same, each time.
. "$(dirname "$0")/topology.sh"

topology
start_server

# enters PROBE-ARGUMENTS...: how many ms it takes to get a session.
enters() {
  local begin=$EPOCHREALTIME answer
  answer=$(probe client "$@" | head -c 5)
  [ "$answer" = "200 {" ] || fail "the client gets no session: $answer"
  say $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))
}

for path in /connect /other; do
  run client guess "$build/qdt-guess" --rate 200 --seconds 60 --path "$path" "$server_address:443"
  guess_pid=$pid
  sleep 2  # the burst is spent
  slowest=0
  for _ in $(seq 20); do
    took=$(enters)
    [ "$took" -le "$slowest" ] || slowest=$took
  done
  check "with guesses at $path, the slowest of 20 sessions took $slowest ms" -- test "$slowest" -lt 1000
  stop "$guess_pid"
  result=$(tail -n 1 "$work/guess.log")
  say "$path: $result"
  check "he has guessed" -- test "${result%% *}" -gt 300
  answers=${result#*guesses, }
  answers=${answers%% answers*}
  # The burst of 100, 5 a second from then on, and what was refilled between.
  check "few of his guesses were answered ($answers)" -- test "$answers" -le 160
done
check "the guessing shows" -- test "$(metric 'qdt_handshakes_total{result="unauthorized"}')" -gt 300
check_equal "and nobody was refused for it" "$(metric 'qdt_handshakes_total{result="rate_limited"}')" 0
