#!/usr/bin/env bash
# From a fresh server to a second machine connected by two commands: qdt-server invite, qdt-client add. The
# device's key is made there; a link lets one device in, and says so when it is used, late, cancelled or another
# server's. A link that carries the key needs no server. Its QR code is read by another program.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'log_level: info'
server() { on server "$build/qdt-server" "$@" --config "$work/server.yaml"; }
# invite NAME [OPTION...]: the link, as a script would take it.
invite() { server invite "$@" --address "$server_address" 2>"$work/words" | tail -n 1; }
# add LINK [OPTION...]: on the client, in a folder of its own.
profiles=$work/profiles
add() { try client "$build/qdt-client" add "$@" --dir "$profiles"; }
# refused WORDS EXPECTED LINK [OPTION...]
refused() {
  add "${@:3}"
  check_equal "$1: is refused" "$status" "${refused_status:-2}"
  check_contains "$1: says why" "$output" "$2"
}
# The profile as a client of this test is started: the log at a level that tells of the connection.
connect() {
  : >"$work/$1.log"
  run client "$1" "$build/qdt-client" --config "$profiles/$1.yaml"
  connected_pid=$pid
  wait_for 10 grep -q 'connected: this host is' "$work/$1.log" || fail "$1 is not connected"
}

say "--- two commands"
link=$(invite ann)
check_contains "invite prints a link" "$link" "qdt://$server_address#ann?s="
add "$link"
check_equal "add takes it" "$status" 0
check_contains "and says how to connect" "$output" "to connect:    qdt-client"
check_equal "its configuration is its owner's alone" "$(stat -c %a "$profiles/ann.yaml")" 600
check_contains "the server's log says so" "$(cat "$work/server.log")" "a device of ann is enrolled by a link, from 198.51.100.2"
check_lacks "no log has the link's secret" "$(cat "$work"/*.log)" "${link##*e=}"
check_lacks "nor has the server's file" "$(strings "$work/server.db")" "${link##*e=}"
connect ann
check "packets travel" -- on client ping -c 1 -W 2 10.8.0.1
check_contains "list shows it" "$(on client "$build/qdt-client" list --dir "$profiles")" "ann   connected  $server_address:443"
try client "$build/qdt-client" remove ann --dir "$profiles"
check_contains "one that is in use is not removed" "$output" "ann is in use"
check_contains "the server knows the device by its host's name" "$(server user show ann)" "$(on client hostname)"

say "--- a link lets one device in"
refused "the same link again" "link used" "$link" --name again
check "and nothing is left of the attempt that could come in" -- test ! -e "$profiles/again.yaml"
refused_status=1 refused "a name that is taken" "ann.yaml is there already" "$(invite ann)"
second=$(invite ann)
add "$second" --name laptop
check_equal "another link, another device" "$status" 0
check_equal "the user has both" "$(server user show ann --json | jq '.devices | length')" 2
check_equal "each with a TUN device of its own" "$(grep -h tun_name "$profiles"/*.yaml | sort -u | wc -l)" 2

say "--- an answer that was lost"
lost=$(invite bob)
on server nft add table inet lossy
on server nft add chain inet lossy out '{ type filter hook output priority 0; }'
on server nft add rule inet lossy out udp sport 443 drop
add "$lost"
check_equal "without an answer it fails" "$status" 3
check_contains "and says that the link is still good" "$output" "good for another try"
on server nft delete table inet lossy
add "$lost"
check_equal "the same command again does it" "$status" 0
check "nothing is left of the attempts" -- sh -c "! ls $profiles/.*.enrolling"
check_equal "with one device" "$(server user show bob --json | jq '.devices | length')" 1

say "--- whatever comes while the server is asked"
twice=$(invite twin)
on client "$build/qdt-client" add "$twice" --dir "$profiles" >"$work/twin.1" 2>&1 & one=$!
on client "$build/qdt-client" add "$twice" --dir "$profiles" >"$work/twin.2" 2>&1 & other=$!
ended "$one" 30
statuses=$status
ended "$other" 30
statuses+=" $status"
# The one that comes second finds its file there (1), or a link that is used (2).
case $statuses in
  '0 1' | '0 2' | '1 0' | '2 0') say "ok: of two adds of one link at a time one succeeds" ;;
  *) fail "two adds of one link at a time end with $statuses: $(cat "$work"/twin.[12])" ;;
esac
check_equal "and they leave one device" "$(server user show twin --json | jq '.devices | length')" 1
# connects as it: its key is the one that the server has.
stop "$connected_pid"
connect twin
stop "$connected_pid"
connect ann
link=$(invite dora)
kill -STOP "$server_pid"
on client "$build/qdt-client" add "$link" --dir "$profiles" >"$work/dora.out" 2>&1 & adding=$!
sleep 1
echo "server: \"$server_address:443\"" >"$profiles/dora.yaml"
kill -CONT "$server_pid"
if wait "$adding"; then fail "add overwrote a file"; fi
check_equal "and stays" "$(cat "$profiles/dora.yaml")" "server: \"$server_address:443\""
check_contains "the device's key is kept" "$(cat "$work/dora.out")" "add the same link again, with another --name"
add "$link" --name dora2
check_equal "so it does" "$status" 0
mv "$profiles/dora2.yaml" "$work/"
add "$(invite dora)" --name dora2
check_equal "another link makes another key" "$status" 0
rm "$profiles"/dora*.yaml

say "--- links that are no good"
refused "one of another server" "does not know this link" "${link%e=*}e=AAAAAAAAAAAAAAAAAAAAAA" --name x
cut=${link/s=?/s=}
refused_status=1 refused "one that was cut" "s is no key of a server" "$cut" --name x
refused_status=3 refused "one with another server's key" "is not that of the link" \
  "qdt://$server_address#x?s=$(printf 'A%.0s' {1..43})&e=$(invite eve | sed 's/.*e=//')"
cancelled=$(invite carl)
check_contains "links are cancelled" "$(server invite carl --cancel)" "let nobody in any more: 1"
refused "a cancelled one" "link expired" "$cancelled"
server user set carl --max-devices 1 >/dev/null
first=$(invite carl) more=$(invite carl)
add "$first"
check_equal "a user of one device" "$status" 0
refused "gets no second one" "too many devices" "$more" --name carl2
try server "$build/qdt-server" invite 'a b' --config "$work/server.yaml"
check_contains "no such name" "$output" "the user's name"
try server "$build/qdt-server" invite zoe --expires 3y --address "$server_address" --config "$work/server.yaml"
check_equal "no such time" "$status" 1
check_lacks "and nobody is added" "$(server user list)" zoe

say "--- by a camera, by a pipe, with its key"
server invite ann --address "$server_address" --qr --png "$work/link.png" --svg "$work/link.svg" >"$work/qr" 2>/dev/null
check_equal "the last line is the link" "$(tail -n 1 "$work/qr" | cut -c 1-6)" "qdt://"
check_equal "another program reads the picture" "$(zbarimg -q --raw "$work/link.png" 2>/dev/null)" "$(tail -n 1 "$work/qr")"
check_contains "the SVG is one" "$(head -c 100 "$work/link.svg")" "<svg"
# Whoever pastes it ends the line, and not the input.
mkfifo "$work/typed"
exec {typed}<>"$work/typed"
tail -n 1 "$work/qr" >&"$typed"
on client timeout 20 "$build/qdt-client" add - --name piped --dir "$profiles" >/dev/null <&"$typed"
exec {typed}<&-
check "a link on standard input" -- test -e "$profiles/piped.yaml"
static=$(invite ann --static tablet)
stop "$connected_pid"
stop "$server_pid"
add "$static" --name tablet
check_equal "a static link needs no server" "$status" 0
start_server
connect tablet
check "its device comes in" -- on client ping -c 1 -W 2 10.8.0.1
stop "$connected_pid"
on client "$build/qdt-client" remove tablet --dir "$profiles" >/dev/null
check "remove takes the key with it" -- test ! -e "$profiles/tablet.yaml"
stop "$server_pid"
