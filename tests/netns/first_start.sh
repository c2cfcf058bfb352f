#!/usr/bin/env bash
# The first start without a configuration makes all that is missing, and says how a client.yaml is
# printed that works as it is; what exists is never rewritten.
. "$(dirname "$0")/topology.sh"

topology

# first_start FOLDER: in it, until the server is ready; what it tells is in $work/told.
first_start() {
  : >"$work/server.log"
  # shellcheck disable=SC2016  # for the host's shell
  run server server sh -c 'cd "$1" && exec "$2" >"$3"' - "$1" "$build/qdt-server" "$work/told"
  server_pid=$pid
  wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
}
content() { (cd "$1" && rm -f server.leases && sha256sum ./* && stat -c '%n %a %Y' ./*); }

mkdir "$work/new"
first_start "$work/new"
cd "$work/new"
check_equal "five files are made" "$(echo *)" "server.crt server.identity server.key server.secret server.yaml"
check_equal "for their owner alone" "$(stat -c %a ./* | tr '\n' ' ')" "600 600 600 600 600 "
check_equal "the certificate and the key belong together" \
  "$(openssl x509 -in server.crt -noout -pubkey)" "$(openssl pkey -in server.key -pubout)"
check_contains "the key is P-256" "$(openssl pkey -in server.key -noout -text)" prime256v1
check_equal "the certificate names nobody" \
  "$(openssl x509 -in server.crt -noout -ext subjectAltName | tail -n 1 | tr -d ' ')" DNS:localhost
made_token=$(sed -n 's/^token: *//p' server.yaml | tr -d '"')
check_equal "the token has 32 random bytes" \
  "$(tr -- -_ +/ <<<"$made_token" | base64 -d 2>/dev/null | wc -c)" 32
check "every key is explained" -- test "$(grep -c '^# Expected:' server.yaml)" -gt 20

check_contains "the command for a client.yaml is printed" "$(cat "$work/told")" "qdt-server client-config --address HOST"
on server "$build/qdt-server" client-config --address "$server_address" >"$work/client.yaml"
chmod 600 "$work/client.yaml"
run client client "$build/qdt-client" --config "$work/client.yaml"
wait_for 10 grep -q ' connected: ' "$work/client.log" || fail "no connection: $(cat "$work/client.yaml")"
check "the printed client.yaml works as it is" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
stop "$pid"
stop "$server_pid"

content "$work/new" >"$work/before"
first_start "$work/new"
stop "$server_pid"
check_equal "the second start tells nothing" "$(cat "$work/told")" ""
check "and rewrites nothing" -- diff "$work/before" <(content "$work/new")

certificate
mkdir "$work/kept"
cp "$work/server.crt" "$work/server.key" "$work/kept"
first_start "$work/kept"
stop "$server_pid"
check "an existing certificate is kept" -- cmp "$work/server.crt" "$work/kept/server.crt"
check "and its key" -- cmp "$work/server.key" "$work/kept/server.key"
check_contains "the client.yaml is for it" \
  "$(on server "$build/qdt-server" client-config --config "$work/kept/server.yaml" --address vpn.test)" "sha256:$(fingerprint)"
check "another token was made" -- test "$(grep ^token: "$work/kept/server.yaml")" != "$(grep ^token: "$work/new/server.yaml")"

# refused WORDS PART COMMAND...
remember server
refused() {
  try server "${@:3}"
  check_equal "$1 ends with status 1" "$status" 1
  check_contains "it says why" "$output" "$2"
  check_equal "in one line" "$(wc -l <<<"$output")" 1
  check_unchanged "the host is as it was" server
}
mkdir "$work/half" "$work/locked"
cp "$work/server.crt" "$work/half"
refused "a certificate without its key" "$work/half/server.key is missing" \
  "$build/qdt-server" --config "$work/half/server.yaml"
check_equal "nothing was made" "$(ls "$work/half")" server.crt
# shellcheck disable=SC2016  # for the host's shell
refused "a folder that is read-only" "create server.key: Read-only file system" \
  sh -c 'mount -t tmpfs -o ro none "$1" && cd "$1" && exec "$2"' - "$work/locked" "$build/qdt-server"
refused "a folder that is not there" "create $work/nowhere/server.key: No such file or directory" \
  "$build/qdt-server" --config "$work/nowhere/server.yaml"
