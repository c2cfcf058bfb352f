#!/usr/bin/env bash
# qdt-server client-config prints a client.yaml that works as it is, and nothing else, to standard
# output; and it knows the address by which clients reach this host only where that is public.
. "$(dirname "$0")/topology.sh"

topology
start_server
# prints WORDS ARGUMENTS...: standard output is in $work/made.yaml, standard error in $output.
prints() {
  status=0
  output=$(on server "$build/qdt-server" client-config --config "$work/server.yaml" "${@:2}" 2>&1 >"$work/made.yaml") || status=$?
  check_equal "$1 ends with status 0" "$status" 0
  check_equal "$1: nothing on standard error" "$output" ""
}
connects() {
  cp "$work/made.yaml" "$work/client.yaml"
  chmod 600 "$work/client.yaml"
  : >"$work/client.log"
  run client client "$build/qdt-client" --config "$work/client.yaml"
  wait_for 10 grep -q ' connected: ' "$work/client.log" || fail "no connection: $(cat "$work/made.yaml")"
  say "ok: the printed client.yaml works as it is"
  stop "$pid"
}
prints "with an address" --address "$server_address"
check_contains "the token is in it" "$(cat "$work/made.yaml")" "token: \"$token\""
check_contains "the fingerprint is in it" "$(cat "$work/made.yaml")" "tls_fingerprint: \"sha256:$(fingerprint)\""
connects
prints "with an IPv6 address" --address "$server_address6"
check_contains "it is in brackets" "$(cat "$work/made.yaml")" "server: \"[$server_address6]:443\""
connects
prints "with a name and a port" --address VPN.Test:8443
check_contains "they are in it" "$(cat "$work/made.yaml")" 'server: "vpn.test:8443"'
prints "without an address"
check_contains "the address towards the world is proposed" "$(cat "$work/made.yaml")" "server: \"$server_address:443\""
stop "$server_pid"
write_server_config 'addr: ":8443"'
prints "a server on another port" --address "$server_address"
check_contains "it is in it" "$(cat "$work/made.yaml")" "server: \"$server_address:8443\""

# refused WORDS PART COMMAND...: status 1, the reason on standard error, nothing on standard output.
refused() {
  status=0
  output=$(on "${@:3}" 2>&1 >"$work/made.yaml") || status=$?
  check_equal "$1 ends with status 1" "$status" 1
  check_contains "it says why" "$output" "$2"
  check_equal "and prints nothing" "$(cat "$work/made.yaml")" ""
}
command=("$build/qdt-server" client-config --config "$work/server.yaml")
refused "an address that is none" '--address: found "vpn test", expected HOST or HOST:PORT' server "${command[@]}" --address "vpn test"
refused "a URL" "without a scheme" server "${command[@]}" --address https://vpn.test
refused "no configuration" "read $work/none.yaml: No such file or directory" server \
  "$build/qdt-server" client-config --config "$work/none.yaml" --address vpn.test
check "none is made" -- test ! -e "$work/none.yaml"
mv "$work/server.crt" "$work/away.crt"
refused "no certificate" "tls_cert: read $work/server.crt: No such file or directory" server "${command[@]}" --address vpn.test
mv "$work/away.crt" "$work/server.crt"

# Behind NAT nothing here knows the address from outside.
add_host inside
join router in 10.5.0.1/24 inside eth0 10.5.0.2/24
refused "private addresses alone" "this host has no public address (its addresses: 10.5.0.2)" inside "${command[@]}"
check_contains "and what to give" "$output" "--address HOST"
status=0
on server "${command[@]}" --address vpn.test >/dev/full 2>"$work/said" || status=$?
check_equal "a full disk ends with status 1" "$status" 1
