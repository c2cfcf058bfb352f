#!/usr/bin/env bash
# The holder of a resume token gets its lease again: after its session, in place of it, after an
# orderly and after a violent restart of the server, which survives a damaged file of leases.
. "$(dirname "$0")/topology.sh"

topology
no_limits=('handshake_rate: {pps: 0}' 'handshake_ip_rate: {pps: 0}')
start_server "${no_limits[@]}"

part() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
# visit TOKEN: a short session; its address is in $address, its token in $resume.
visit() {
  local answer
  answer=$(probe client --resume "$1")
  check_contains "a session" "$answer" pong
  address=$(part client_ip <<<"$answer")
  resume=$(part resume_token <<<"$answer")
}
# stay TOKEN: a session until it is ended; its PID in $pid, its answer in stay.log.
stay() {
  : >"$work/stay.log"
  run client stay "$build/qdt-probe" --token "$token" --resume "$1" --stay "$server_address:443"
  wait_for 5 grep -q pong "$work/stay.log" || fail "no session: $(cat "$work/stay.log")"
}
is_saved() { [ "$(grep -c '^10[.]8[.]0[.]' "$work/server.leases")" -ge "$1" ]; }
again() {
  visit "$mine"
  check_equal "$1, it gets the same address" "$address" "$my_address"
  check_equal "and the same token" "$resume" "$mine"
}

visit ""
mine=$resume
my_address=$address
visit ""
check "another client gets another address" -- test "$address" != "$my_address"
again "after its session"
check_lacks "a client without the cap gets no token" "$(probe client)" resume_token
visit AAAAAAAAAAAAAAAAAAAAAA
check "a token that nobody has is no good" -- test "$address" != "$my_address"

for round in 1 2 3 4; do  # with four shards, in one or the other
  stay "$mine"
  again "in place of session $round"
  ended "$pid"
done
check_equal "each of the four was replaced" \
  "$(grep -c "with $my_address ended: replaced by a newer session" "$work/server.log")" 4
check_equal "no session is left" "$(metric qdt_sessions_active)" 0

stay "$mine"
wait_for 5 is_saved 3 || fail "the leases are not saved"
check_equal "the leases are for the owner alone" "$(stat -c %a "$work/server.leases")" 600
check_lacks "no token is in their file" "$(cat "$work/server.leases")" "$mine"
kill "$pid"
stop "$server_pid" KILL
start_server "${no_limits[@]}"
check_contains "the next process knows them" "$(cat "$work/server.log")" "leases are kept for their clients"
again "after kill -9 of the server"

stop "$server_pid"
start_server "${no_limits[@]}"
again "after an orderly restart"

stop "$server_pid"
start_server "${no_limits[@]}" 'pool_cidr: 10.9.0.0/24'
check_contains "leases of another pool are dropped" "$(cat "$work/server.log")" \
  "are not of pool_cidr any more"
stop "$server_pid"

echo damaged >"$work/server.leases"
start_server "${no_limits[@]}"
check_contains "a damaged file is reported" "$(cat "$work/server.log")" \
  "server.leases: damaged: it is not a file of leases"
visit "$mine"
check "and its leases are gone" -- test "$resume" != "$mine"
stop "$server_pid"
check_lacks "it is replaced" "$(cat "$work/server.leases")" damaged

start_server "${no_limits[@]}" 'lease_grace: 0'
check_lacks "lease_grace: 0 gives no tokens" "$(probe client --resume "")" resume_token
