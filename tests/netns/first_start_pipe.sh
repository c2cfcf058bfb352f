#!/usr/bin/env bash
# The first start prints no secret where its output is kept: in a file, a pipe, a journal. It names
# the command that prints a client's configuration, and an address only where it knows one.
. "$(dirname "$0")/topology.sh"

topology
add_host inside
join router in 10.5.0.1/24 inside eth0 10.5.0.2/24
ip -n "$(ns inside)" route add default via 10.5.0.1

# first_start HOST FOLDER: until it is ready; all that it printed is in $told.
first_start() {
  mkdir "$work/$2"
  : >"$work/server.log"
  run "$1" server "$build/qdt-server" --config "$work/$2/server.yaml"
  wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
  stop "$pid"
  told=$(cat "$work/server.log")
  made_token=$(sed -n 's/^token: *//p' "$work/$2/server.yaml" | tr -d '"')
}
first_start server public
check "there is a token" -- test "${#made_token}" -ge 32
check_lacks "it is not printed" "$told" "$made_token"
check_lacks "nor is the key" "$told" "PRIVATE KEY"
check_contains "the command is" "$told" "qdt-server client-config --config $work/public/server.yaml --address HOST"
check_contains "and this host's public address, towards the world" "$told" "this host's public address is $server_address"
# shellcheck disable=SC2086  # the command as it is printed
command=$(sed -n 's/^ *qdt-server \(client-config .*\) HOST$/\1/p' "$work/server.log")
# shellcheck disable=SC2086
on server "$build/qdt-server" $command "$server_address" >"$work/made.yaml"
check_contains "the command works as it is printed" "$(cat "$work/made.yaml")" "token: \"$made_token\""

first_start inside private
check_lacks "behind NAT: the token is not printed" "$told" "$made_token"
check_contains "the addresses are called private" "$told" "has only private addresses (10.5.0.2)"
check_contains "and what is to be done is said" "$told" "its address from outside is not known here"

# With standard output closed, it does not end up in a file that was opened instead.
mkdir "$work/closed"
ip netns exec "$(ns server)" "$build/qdt-server" --config "$work/closed/server.yaml" >&- 2>"$work/closed.log" &
pid=$!
wait_for 10 grep -q 'ready: clients are taken' "$work/closed.log" || fail "the server is not ready"
stop "$pid"
for file in "$work"/closed/*; do
  case $file in
    */server.yaml) ;;
    *) check_lacks "$(basename "$file") has no token" "$(tr -d '\0' <"$file")" "$(sed -n 's/^token: *//p' "$work/closed/server.yaml" | tr -d '"')" ;;
  esac
done
