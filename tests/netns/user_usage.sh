#!/usr/bin/env bash
# What users have used: counted each way by user and device under real traffic, shown by usage and user show,
# by a running server and by the file alone. Neither kill -9 of the server nor of the process that has the file
# loses more than ten seconds or doubles anything, and an orderly stop loses nothing.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'log_json: true'
server() { on server "$build/qdt-server" "$@" --config "$work/server.yaml"; }
server_key() { jq -r .msg "$work/server.log" | sed -n 's/^server key, for devices with keys: //p'; }
# add_device USER DEVICE HOST: with a key that is made there, in $work/HOST.key.
add_device() {
  local key
  key=$(on "$3" "$build/qdt-client" key --file "$work/$3.key" | grep -o 'ed25519:[A-Za-z0-9+/]*' | tail -n 1)
  server device add "$1" "$2" --key "$key" >/dev/null
}
with_key() { printf '%s\n' '#token: none' "key_file: $work/$1.key" "server_key: \"$(server_key)\"" 'route_mode: cidr'; }
# used JQ...: a number of this month's usage, as a program asks.
used() { server usage --json | jq "$@"; }
both='.users[] | select(.name == "ann") | .up + .down'
# carried: what the running server itself has counted, all users together, since its start.
carried() { echo $(($(metric 'qdt_bytes_total{direction="up"}') + $(metric 'qdt_bytes_total{direction="down"}'))); }

server user add ann >/dev/null
server user add bob >/dev/null
add_device ann laptop client
add_device ann phone client2
check_contains "nobody has used anything" "$(server usage)" "ann   all     0 B  0 B   0 B"
check_contains "nor was a device seen" "$(server user show ann)" "-          key"
mapfile -t keys < <(with_key client)
start_client client "${keys[@]}"
mapfile -t keys2 < <(with_key client2)
start_client client2 "${keys2[@]}"

say "--- counted"
# 1028 bytes each, inner headers included; 50 and as many answers.
on client ping -c 50 -i 0.01 -s 1000 -W 2 10.8.0.1 >/dev/null || fail "no answer"
on client2 ping -c 20 -i 0.01 -s 1000 -W 2 10.8.0.1 >/dev/null || fail "no answer"
ways() { used -c ".users[] | select(.name == \"ann\") | [.up, .down]"; }
is_counted() { [ "$(ways)" = "[$((70 * 1028)),$((70 * 1028))]" ]; }
check "each byte once, each way, at a running server" -- wait_for 3 is_counted
check_equal "by device" \
  "$(used -c '[.users[] | select(.name == "ann") | .devices[] | {(.name): .up}] | add | .laptop, .phone')" \
  $'51400\n20560'
check_equal "nobody else's" "$(used '.users[] | select(.name == "bob") | .up + .down')" 0
check_contains "a table tells" "$(server usage ann)" "ann   laptop  51.4 kB  51.4 kB  102.8 kB"
check_contains "show does" "$(server user show ann)" "72.0 kB from it, 72.0 kB to it"
check_lacks "and when devices were seen" "$(server user show ann)" "-  key"
for way in up down; do
  check_equal "a metric has its bytes $way" "$(metric "qdt_user_bytes_total{user=\"ann\",direction=\"$way\"}")" \
    $((70 * 1028))
done
check_contains "an earlier month has nothing" "$(server usage --month 2020-02)" "ann   all     0 B  0 B   0 B"
for month in 2020-13 2020-2 now; do
  try server "$build/qdt-server" usage --month "$month" --config "$work/server.yaml"
  check_equal "$month is no month" "$status" 1
  check_contains "and it says what is one" "$output" "such as 2026-11"
done
try server "$build/qdt-server" usage nobody --config "$work/server.yaml"
check_contains "of nobody there is nothing" "$output" "there is no user nobody"

say "--- a session that is over at once"
stop "$client_pid"
before=$(used "$both")
start_client client2 "${keys2[@]}"
on client2 ping -c 10 -i 0.01 -s 1000 -W 2 10.8.0.1 >/dev/null || fail "no answer"
stop "$client_pid" KILL
start_client client2 "${keys2[@]}"
grew_by() { [ $(($(used "$both") - before)) -ge "$1" ]; }
check "is counted as any other" -- wait_for 5 grew_by $((20 * 1028))

say "--- an orderly stop at once"
# Once the traffic has ended, the numbers stand still.
base=0
start_flow() {
  run client2 flow ping -i 0.005 -s 1000 10.8.0.1
  flow_pid=$pid
}
stop_flow() { stop "$flow_pid" INT; }
start_flow
sleep 1
stop_flow
all=$(carried)
stop "$server_pid"
check_equal "loses nothing" "$(used "$both")" "$all"
base=$all

start_server 'metrics_users: 1'
check_lacks "more users than metrics_users have no metric" "$(fetch server http://127.0.0.1:9435/metrics)" qdt_user_bytes
stop "$server_pid"

say "--- kill -9 of the process that has the file"
back() {
  start_server 'log_json: true'
  on client2 "$build/qdt-client" reconnect >/dev/null || true
  wait_for 20 on client2 ping -c 1 -W 1 10.8.0.1 || fail "the client does not come back"
}
keeper() { pgrep -P "$(pgrep -P "$server_pid" -f 'qdt-server: watches over users')" -f '^qdt-server: users'; }
back
start_flow
old=$(keeper)
kill -KILL "$old"
check "another takes its place" -- wait_for 10 server user list
check "which it is not" -- test "$(keeper)" != "$old"
sleep 1
stop_flow
all=$(carried)
is_all() { [ "$(used "$both")" = $((base + all)) ]; }
check "nothing is lost or doubled" -- wait_for 5 is_all

say "--- kill -9 of the server"
# Nobody asks for usage in the last ten seconds, since what is asked for is written down at once.
for round in 1 2 3; do
  start_flow
  sleep "$((RANDOM % 4)).$((RANDOM % 10))"
  early=$(carried)
  sleep 10
  stop_flow
  late=$(carried)
  host=$(host_process "$server_pid")
  killed=("$server_pid")
  [ "$round" != 3 ] || killed+=("$(keeper)")  # as when a service runs out of memory
  kill -KILL "${killed[@]}"
  ended "$server_pid"
  wait_for 10 is_gone "$host" || fail "the host process stays"
  kept=$(($(used "$both") - base))
  say "   round $round: $early bytes ten seconds before, $late at the end, $kept kept"
  check "what was carried ten seconds before is kept" -- test "$kept" -ge "$early"
  check "and no byte twice" -- test "$kept" -le "$late"
  base=$((base + kept))
  back
done
check "nothing is asked of a log but once" -- test "$(grep -c 'usage is written down once' "$work/server.log")" -le 1
