#!/usr/bin/env bash
# A user's quota under traffic: once it is used up, the user's session ends, both sides say why, and another session
# loses no packet. The user stays out over a restart and a kill -9, and comes in once the quota is raised or gone.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'log_json: true'
server() { on server "$build/qdt-server" "$@" --config "$work/server.yaml"; }
server user add ann >/dev/null
key=$(on client "$build/qdt-client" key --file "$work/device.key" | grep -o 'ed25519:[A-Za-z0-9+/]*' | tail -n 1)
server device add ann laptop --key "$key" >/dev/null
server_key=$(jq -r .msg "$work/server.log" | sed -n 's/^server key, for devices with keys: //p')
start_client client2 'route_mode: cidr' 'client_id: other'
run client2 ping ping -i 0.02 -w 200 10.8.0.1
ping_pid=$pid
start_client client '#token: none' "key_file: $work/device.key" "server_key: \"$server_key\"" 'route_mode: cidr'
check "without a quota ann comes in" -- on client ping -c 1 -W 2 10.8.0.1

of_ann() { server user show ann --json | jq -r ".$1"; }
does_not_come_in() { ! on client ping -c 1 -W 2 10.8.0.1; }
# A client that was refused waits; told to connect anew, it comes in.
comes_in() { on client "$build/qdt-client" reconnect && on client ping -c 1 -W 1 10.8.0.1; }
again() { wait_for 20 comes_in; }
# uses_it_up QUOTA: by 1028 bytes each way, 200 times a second, from the quota's setting on.
uses_it_up() {
  : >"$work/client.log"
  server user set ann --quota "$1" >/dev/null
  run client flow ping -i 0.005 -s 1000 10.8.0.1
  check "its session ends once $1 is used up" -- \
    wait_for 30 grep -qF "this user's quota at the server is used up" "$work/client.log"
  stop "$pid" INT
  say "   after $(of_ann quota_used) bytes of $(of_ann quota)"
  check "not before" -- test "$(of_ann quota_used)" -ge "$(of_ann quota)"
  # Two seconds, and as many again for a machine that has others to serve.
  check "and not long after" -- test "$(of_ann quota_used)" -lt $(($(of_ann quota) + 4 * 400 * 1028))
}

uses_it_up 1MB
check_contains "the server's log says why" "$(cat "$work/server.log")" '"reason":"the user'"'"'s quota is used up"'
check_equal "and a metric" "$(metric 'qdt_session_ends_total{reason="quota_used"}')" 1
check_equal "show says so" "$(of_ann state)" over_quota
check_contains "in words, too" "$(server user show ann)" "quota of 1.0 MB a month"
check_contains "and list" "$(server user list)" "over_quota"
check "it does not come in" -- does_not_come_in
server user set ann --quota-reset-day 28 >/dev/null
check_equal "another reset day is kept" "$(of_ann quota_reset_day)" 28
server user set ann --quota-reset-day 1 >/dev/null
check "nor then" -- does_not_come_in
server user set ann --quota 100MB >/dev/null
check "raised, it does" -- again
server user set ann --quota 1kB >/dev/null
check "lowered below what is used, its session ends" -- does_not_come_in
server user set ann --quota none >/dev/null
check "without a quota it comes in" -- again
# More than was used so far.
uses_it_up "$((($(server usage --json | jq '.users[] | select(.name == "ann") | .up + .down') + 1000000) / 1000000))MB"

kill -INT "$ping_pid"
ended "$ping_pid"
# But for what was under way at the end.
last=$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$work/ping.log" | tail -n 1)
check_equal "meanwhile another session has lost no packet" "$(grep -c 'bytes from' "$work/ping.log")" "$last"
check "of many" -- test "$last" -gt 100

say "--- it stays used up"
stop "$server_pid"
check_equal "without a server" "$(of_ann state)" over_quota
start_server 'log_json: true'
on client "$build/qdt-client" reconnect >/dev/null || true
check "over a restart" -- does_not_come_in
crash "$server_pid"
start_server 'log_json: true'
on client "$build/qdt-client" reconnect >/dev/null || true
check "over a kill -9" -- does_not_come_in
check_lacks "nor did it come in for a moment" "$(cat "$work/server.log")" "(device laptop)"
server user set ann --quota 10GB >/dev/null
check "until it is raised" -- again

say "--- what is wrong changes nothing"
before=$(server user list --json | jq '[.users[] | {quota, quota_reset_day, quota_action}]')
# refused EXPECTED OPTION...
refused() {
  try server "$build/qdt-server" user set ann "${@:2}" --config "$work/server.yaml"
  check_equal "${*:2} is refused" "$status" 1
  check_contains "and says why" "$output" "$1"
}
refused "is no size" --quota much
refused "is no size" --quota -5GB
refused "too little" --quota 0GB
refused "too much" --quota 5000TB
refused "too much" --quota-reset-day 29
refused "no whole number" --quota-reset-day first
refused "or block, until the reset day" --quota-action slow
check_equal "and nothing is changed" "$(server user list --json | jq '[.users[] | {quota, quota_reset_day, quota_action}]')" "$before"
