#!/usr/bin/env bash
# Thousands of connections without a session, from a whole /48, at a server limited to 64 MiB: a busy
# session goes on, memory stays, and somebody with the token is in at once.
. "$(dirname "$0")/topology.sh"
. "$here/strangers.sh"

count=${STRANGERS:-3000} per_second=${PER_SECOND:-1000}
strangers_topology 3
start_server 'log_level: info'
limit_memory 64
start_client client
busy
resident=$(resident)

are_many() { [ "$(metric qdt_connections)" -ge 100 ]; }
come() {
  crowd --count "$count" --per-second "$per_second" --stay 3
  wait_for 10 are_many || fail "the crowd does not come: $(metric qdt_connections)"
}
check_goodput "the session" 90 come
begun=${EPOCHREALTIME/./}
start_client client3 'route_mode: none' 'tun_name: qdt3'
milliseconds=$(((${EPOCHREALTIME/./} - begun) / 1000))
check "a newcomer with the token is in after $milliseconds ms" -- test "$milliseconds" -le 2000
check "$(metric qdt_strangers) strangers are held, and no more" -- test "$(metric qdt_strangers)" -le 224
ended "$crowd_pid" 60
say "$(tail -n 1 "$work/crowd.log")"
grown=$((($(resident) - resident) / 1024))
check "the server's memory has grown by $grown MiB" -- test "$grown" -le 16
check "the kernel has not ended it" -- kill -0 "$server_pid"
[ "$(metric 'qdt_strangers_ended_total{reason="crowded"}')" -gt 0 ] || fail "nobody gave way"
unlimit_memory
