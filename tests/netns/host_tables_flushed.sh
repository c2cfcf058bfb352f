#!/usr/bin/env bash
# Somebody flushes, deletes, empties, changes or silences nftables tables of the client (with a kill
# switch) and of the server, whole or in part: each is what it was, to the last rule, within two
# seconds. A server that cannot have its table says so, and is no server meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
count_around
start_server
start_client client 'route_mode: default' 'kill_switch: true'
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }
check "the web is there" -- wait_for 5 carries
run client pinger ping -n -q -i 0.02 "$web_address"

# One that was made again comes after the others.
ruleset() {
  local table
  for table in $(on "$1" nft list tables | awk '{ print $3 }' | sort); do
    on "$1" nft -s list table inet "$table"
  done
}
stands() { ruleset "$1" | diff "$work/$1.rules" - >"$work/difference"; }
# tables HOST: those that others can change.
tables() { on "$1" nft list ruleset | awk '$1 == "table" { name = $3; owned = 0 } /flags owner/ { owned = 1 }
  /^}/ && !owned { print name }'; }
chains() { on "$1" nft list table inet "$2" | awk '$1 == "chain" { print $2 }'; }
# changes HOST WORDS NFT...: the commands of nft, and what comes of them.
changes() {
  local begun
  on "$1" nft "${@:3}" || fail "nft ${*:3}"
  begun=${EPOCHREALTIME/./}
  wait_for 5 stands "$1" || fail "$1, $2: $(cat "$work/difference")"
  took=$(((${EPOCHREALTIME/./} - begun) / 1000))
  [ "$took" -lt 2000 ] || fail "$1, $2: back after $took ms"
  say "ok: $1, $2: back after $took ms"
}

# Somebody else's table has the name, and cannot be touched.
mkfifo "$work/commands"
exec {commands}<>"$work/commands"
take_name() {  # HOST TABLE
  ruleset "$1" >"$work/$1.rules"
  ip netns exec "$(ns "$1")" nft -i <"$work/commands" >"$work/owner.log" 2>&1 &
  owner=$!
  say "add table inet $2; delete table inet $2; add table inet $2 { flags owner; }" >&"$commands"
}
give_name_back() {
  say quit >&"$commands"
  ended "$owner"
}
health() { on server curl -sS --noproxy '*' --max-time 2 -w ' %{http_code}' http://127.0.0.1:9436/healthz; }
is_health() { health | tr '\n' ' ' | grep -qE "$1"; }
is_state() { { on client "$build/qdt-client" --status --json || true; } | grep -q "\"state\":\"$1\""; }
table=$(tables server | tail -n 1)
take_name server "$table"
check "the server is not ready, and says why" -- wait_for 5 is_health "put back nftables table inet $table: .* 503"
check "so does its log" -- grep -q "not ready, clients are refused: put back nftables table inet $table" "$work/server.log"
give_name_back
check "it is ready again once that has gone" -- wait_for 5 is_health '^ok'
check "with its table" -- wait_for 2 stands server
check "the web is there" -- wait_for 5 carries
take_name client "$(tables client)"
check "a client that cannot have its kill switch is degraded" -- wait_for 5 is_state degraded
check_equal "and says why, once" "$(grep -c 'degraded: .*the kill switch' "$work/client.log")" 1
give_name_back
check "it is connected again once that has gone" -- wait_for 5 is_state connected
check "with its table" -- wait_for 2 stands client

for host in client server; do
  ruleset "$host" >"$work/$host.rules"
  names=$(tables "$host")
  check "$host has a table that others can change" -- test -n "$names"
  changes "$host" "everything flushed" flush ruleset
  for table in $names; do
    changes "$host" "$table deleted" delete table inet "$table"
    changes "$host" "$table dormant" "table inet $table { flags dormant; }"
    changes "$host" "a chain added to $table" "add chain inet $table foreign"
    for chain in $(chains "$host" "$table"); do
      on "$host" nft list chain inet "$table" "$chain" | grep -qE '(accept|drop|counter|masquerade|jump)' || continue
      changes "$host" "$table $chain emptied" flush chain inet "$table" "$chain"
      last=("$table" "$chain")
    done
    handle=$(on "$host" nft -a list chain inet "${last[@]}" | sed -n 's/.* # handle \([0-9]*\)$/\1/p' | tail -n 1)
    changes "$host" "a rule of ${last[*]} deleted" delete rule inet "${last[@]}" handle "$handle"
    changes "$host" "a rule before those of ${last[*]}" insert rule inet "${last[@]}" accept
  done
  check "the web is there" -- wait_for 5 carries
done
check_equal "nothing went around the tunnel" "$(around)" 0
check_equal "the session went on" "$(metric 'qdt_handshakes_total{result="ok"}')" 1
