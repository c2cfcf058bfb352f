#!/usr/bin/env bash
# Tens of thousands of payloads a second from every address of a /48, beside a busy session: forged
# first packets, these from everywhere as well, and garbage that names the session's own connection.
# The session goes on, memory stays, and clients are still taken.
. "$(dirname "$0")/topology.sh"
. "$here/strangers.sh"

per_second=${PER_SECOND:-50000}
strangers_topology 3
start_server 'log_level: info'
start_client client
busy
resident=$(resident)

# flood WORDS ARGUMENTS...: for four seconds.
flood() {
  local before
  before=$(metric 'qdt_payloads_total{direction="in"}')
  check_goodput "$1: the session" 70 crowd --count $((per_second * 4)) --per-second "$per_second" "${@:2}"
  ended "$crowd_pid" 30
  say "$(tail -n 1 "$work/crowd.log"), $(($(metric 'qdt_payloads_total{direction="in"}') - before)) payloads received"
  grown=$((($(resident) - resident) / 1024))
  check "$1: the server's memory has grown by $grown MiB" -- test "$grown" -le 16
}

flood "forged first packets" --throw forged-initial
answered=$(metric 'qdt_drops_total{reason="unproven"}')
check "they had to prove their address: $answered" -- test "$answered" -gt 1000
check_contains "a client is taken" "$(probe client3)" '200 {'

# are_taken: each of a few clients, while first packets are forged: none of them gets in by luck.
are_taken() {
  local slowest=0 begun took
  crowd --count $((per_second * 10)) --per-second "$per_second" --throw forged-initial
  sleep 1
  for _ in 1 2 3 4 5 6; do
    begun=${EPOCHREALTIME/./}
    check_contains "a client is taken meanwhile" "$(probe client3)" '200 {'
    took=$(((${EPOCHREALTIME/./} - begun) / 1000))
    [ "$took" -le "$slowest" ] || slowest=$took
  done
  kill -0 "$crowd_pid" 2>/dev/null || fail "the flood was over before"
  check "the slowest of them took $slowest ms" -- test "$slowest" -le 2000
  stop "$crowd_pid" KILL
}
are_taken

# Most of these get no Retry, and clients with their second packet.
sources=$everywhere
flood "forged first packets from everywhere" --throw forged-initial
are_taken
sources=

# On the way from the client to the server: bytes 1 to 8 of its payload.
id=$(on server timeout 10 tcpdump -i wan -c 1 -nn -x 'udp dst port 443 and udp[8] & 0x80 = 0' 2>/dev/null |
  tr -d '\n' | sed 's/.*0x0000://; s/0x[0-9a-f]*://g; s/[^0-9a-f]//g' | cut -c59-74)
[ ${#id} -eq 16 ] || fail "no packet of the session: $id"
flood "garbage that names the session" --throw short-header --id "$id"
check "it was not taken for strangers' own" -- test "$(metric qdt_strangers)" -le 64
check_contains "a client is taken again" "$(probe client3)" '200 {'
check_equal "the session is still there" "$(metric qdt_sessions_active)" 1
