#!/usr/bin/env bash
# Users and devices of a running server: added, they come in; removed, disabled, past their time or with another
# key, their sessions end within a second and the client says why, while another session loses no packet. The
# same commands change the file where no server runs. Faults of the file end nothing.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'log_json: true'
server() { on server "$build/qdt-server" "$@" --config "$work/server.yaml"; }
socket="/run/qdt/qdt0.$(on server stat -Lc %i /proc/self/ns/net).server.sock"
# refused WORDS EXPECTED COMMAND...
refused() {
  try server "$build/qdt-server" "${@:3}" --config "$work/server.yaml"
  check_equal "$1 is refused" "$status" 1
  check_contains "and says why" "$output" "$2"
}

check_contains "there are no users at first" "$(server user list)" "no users but the configuration's"
check "and no file" -- test ! -e "$work/server.db"
# The one who is to notice nothing.
start_client client2 'route_mode: cidr' 'client_id: other'
run client2 ping ping -i 0.02 -w 200 10.8.0.1
ping_pid=$pid

say "--- a user and its device"
check_contains "a user is added" "$(server user add ann --max-devices 3)" "user ann is added"
key=$(on client "$build/qdt-client" key --file "$work/device.key" | grep -o 'ed25519:[A-Za-z0-9+/]*' | tail -n 1)
check_contains "and a device with a key" "$(server device add ann laptop --key "$key")" "laptop of ann is added"
server_key=$(jq -r .msg "$work/server.log" | sed -n 's/^server key, for devices with keys: //p')
with_key=('#token: none' "key_file: $work/device.key" "server_key: \"$server_key\"" 'route_mode: cidr' 'client_id: laptop')
start_client client "${with_key[@]}"
laptop_pid=$client_pid
check "it comes in" -- on client ping -c 1 -W 2 10.8.0.1
is_of_ann() {
  on server "$build/qdt-server" status --json |
    jq -e '.sessions[] | select(.client == "laptop") | .user == "ann" and .device == "laptop"'
}
check "as that user's" -- wait_for 5 is_of_ann
check_equal "the file is the server's alone" "$(stat -c %a "$work/server.db")" 600
open_files() { find "/proc/$1/fd" -mindepth 1 -printf '%l\n'; }
check_lacks "the process that packets reach does not have it open" "$(open_files "$server_pid")" server.db
check_lacks "nor has the one that changes the host" "$(open_files "$(host_process "$server_pid")")" server.db

# ends WORDS TOLD REASON COMMAND...: by the command the client's session ends, both sides say why, and it takes
# about a second (the bar is wider: others may have the processors).
ends() {
  local begun
  : >"$work/client.log"
  server "${@:4}" >/dev/null
  begun=${EPOCHREALTIME/./}
  check "$1: the client is told why" -- wait_for 5 grep -qF "$2" "$work/client.log"
  milliseconds=$(((${EPOCHREALTIME/./} - begun) / 1000))
  say "   after $milliseconds ms"
  check "$1: soon" -- test "$milliseconds" -lt 3000
  check_contains "$1: the server's log says why" "$(cat "$work/server.log")" "\"reason\":\"$3\""
}
does_not_come_in() { ! on client ping -c 1 -W 2 10.8.0.1; }
# A client that was refused waits; told to connect anew, it comes in.
comes_in() { on client "$build/qdt-client" reconnect && on client ping -c 1 -W 1 10.8.0.1; }
again() { wait_for 20 comes_in; }

say "--- disabled, enabled"
ends "disabled" "the server's operator disabled this user" "the user was disabled" user disable ann
check "and it does not come in" -- does_not_come_in
server user enable ann >/dev/null
check "enabled, it does" -- again

say "--- its time is over"
server user set ann --expires "$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%S)" >/dev/null
check_contains "show tells" "$(server user show ann)" "expires 20"
check "expired: its session ends" -- wait_for 5 grep -qF "this user's time at the server is over" "$work/client.log"
check_contains "list tells" "$(server user list)" "expired"
server user set ann --expires none >/dev/null
check "and without an end it comes in" -- again

say "--- a group"
server group add staff >/dev/null
server user set ann --group staff >/dev/null
ends "over the quota of its group" "this user's quota at the server is used up" \
  "the user's quota is used up" group set staff --quota 1b
check_contains "show tells whose quota it is" "$(server user show ann)" "a month by its group"
check_contains "list tells" "$(server user list)" "over_quota  staff"
refused "while a user is in it, its removal" "ann among them" group remove staff
server group set staff --quota none >/dev/null
check "without a quota it comes in" -- again
server user set ann --group none >/dev/null
check_contains "without users it is removed" "$(server group remove staff)" "group staff is removed"

say "--- another key"
other=$(on client "$build/qdt-client" key --file "$work/other.key" | grep -o 'ed25519:[A-Za-z0-9+/]*' | tail -n 1)
ends "with the old key" "removed this device, or gave it another key" "the device was removed or has another key" \
  device rotate ann laptop --key "$other"
stop "$laptop_pid"
cp "$work/other.key" "$work/device.key"
start_client client "${with_key[@]}"
laptop_pid=$client_pid
check "the new one comes in" -- on client ping -c 1 -W 2 10.8.0.1

say "--- a device with a token"
token_line=$(server device add ann old --token | grep '^token: ')
stop "$laptop_pid"
start_client client "$token_line" 'auth: token' 'route_mode: cidr' 'client_id: old'
check "comes in by version 1" -- on client ping -c 1 -W 2 10.8.0.1
check_lacks "its token is in no log" "$(cat "$work/server.log")" "${token_line#token: }"
check "nor in the file" -- test "$(cat "$work"/server.db* | grep -acFe "${token_line#token: }" || true)" = 0

say "--- removed"
ends "removed" "the server's operator removed this user" "the user was removed" user remove ann
stop "$client_pid"
kill -INT "$ping_pid"
ended "$ping_pid"
# But for what was under way at the end.
last=$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$work/ping.log" | tail -n 1)
check_equal "meanwhile another session has lost no packet" "$(grep -c 'bytes from' "$work/ping.log")" "$last"
check "of many" -- test "$last" -gt 40
check_contains "the log of changes has who and what" "$(server user log)" "root  user remove ann"

say "--- what is wrong changes nothing"
server user add bob >/dev/null
before=$(server user list --json)
refused "a user who is there" "there is a user bob already" user add bob
refused "the configuration's name" "take another name" user add default
refused "a name with a space" "other characters" user add "a b"
refused "a path" "other characters" user show a/../b
refused "a date that is over" "it is past" user set bob --expires 2020-01-01
refused "a day that is none" "no such day" user set bob --expires 2027-02-30
refused "no number" "is no whole number" user set bob --max-sessions many
refused "nobody" "there is no user carl" user remove carl
refused "no device" "there is no device tv of bob" device remove bob tv
refused "no kind" "one of key, token and login" device add bob tv
refused "a key that is none" "key: expected ed25519:" device add bob tv --key ed25519:x
check_equal "and nothing is changed" "$(server user list --json)" "$before"

say "--- every call of the API"
check "is as docs/control.openapi.yaml says" -- \
  on server "$here/openapi.py" "$here/../../docs/control.openapi.yaml" "$socket" \
  "$(on server "$build/qdt-server" status --json | jq -r '.sessions[0].id')"
wait_for 15 on client2 ping -c 1 -W 1 10.8.0.1 || fail "the other client is not back after its call"

say "--- the file is locked, deleted, put back"
run server lock python3 -c 'import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(5)' "$work/server.db"
locker_pid=$pid
wait_for 5 grep -q locked "$work/lock.log" || fail "nobody locks the file"
refused "while somebody has it locked, a change" "another program has it locked" user add carl
check "packets travel" -- on client2 ping -c 1 -W 2 10.8.0.1
ended "$locker_pid"
mv "$work/server.db" "$work/away.db"
refused "without its file, a change" "deleted" user add carl
check "packets travel then, too" -- on client2 ping -c 1 -W 2 10.8.0.1
check "the log has a line" -- grep -q 'deleted or replaced while it was open' "$work/server.log"
mv "$work/away.db" "$work/server.db"
check "put back, it is used again" -- wait_for 5 server user add carl

say "--- a restart, and no server"
stop "$server_pid"
check_contains "without a server the file is changed" "$(server user set carl --max-sessions 1)" "user carl is changed"
start_server 'log_json: true'
check_contains "a running server answers" "$(server user show carl)" "carl: "
mapfile -t killed < <(ip netns pids "$(ns server)")
kill -STOP "${killed[@]}"
kill -KILL "${killed[@]}"
for pid in "${killed[@]}"; do wait_for 5 is_gone "$pid" || true; done
check_contains "where all its processes were killed, the file is changed" \
  "$(server user set carl --max-sessions 2)" "user carl is changed"
server device add carl tv --key "$other" >/dev/null
start_server 'log_json: true'
start_client client "${with_key[@]}"
check "and the next start has what it says" -- on client ping -c 1 -W 2 10.8.0.1
stop "$client_pid"
stop "$server_pid"
echo "no database" >"$work/server.db"
start_server
check "a damaged file is no reason not to start" -- grep -q 'it is kept as' "$work/server.log"
check "it is kept" -- test -s "$(compgen -G "$work/server.db.damaged-*" | head -n 1)"
check "and the token's client comes in" -- wait_for 20 on client2 ping -c 1 -W 1 10.8.0.1
