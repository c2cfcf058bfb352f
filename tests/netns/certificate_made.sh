#!/usr/bin/env bash
# A certificate that is missing at the default path is made at any start, with a subject that says
# nothing of this host; what exists is never overwritten, and half a pair is an error.
. "$(dirname "$0")/topology.sh"

topology
write_server_config '#tls_cert:' '#tls_key:'
rm -f "$work/server.crt" "$work/server.key"

try server "$build/qdt-server" --check-config --config "$work/server.yaml"
check_equal "--check-config takes a certificate that the start will make" "$status" 0
check_contains "it says that" "$output" "$work/server.crt and $work/server.key are missing: the start makes them"
check_equal "and makes nothing" "$(cd "$work" && echo server.*)" server.yaml

again() {
  : >"$work/server.log"
  run server server "$build/qdt-server" --config "$work/server.yaml"
  server_pid=$pid
  wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
}
again
check_contains "the start with a configuration made it" "$(cat "$work/server.log")" "were made: clients need the new fingerprint"
check_contains "and names its fingerprint" "$(cat "$work/server.log")" "sha256:$(fingerprint)"
check_equal "for their owner alone" "$(stat -c %a "$work/server.crt" "$work/server.key" | tr '\n' ' ')" "600 600 "
text=$(openssl x509 -in "$work/server.crt" -noout -text)
check_equal "its subject is neutral" "$(openssl x509 -in "$work/server.crt" -noout -subject -issuer | tr '\n' ' ')" \
  "subject=CN = localhost issuer=CN = localhost "
for part in qdt QDT "$(hostname)" "$server_address" 192.0.2.1 "IP Address"; do
  check_lacks "it does not have $part" "$text" "$part"
done
check "it holds for ten years" -- openssl x509 -in "$work/server.crt" -noout -checkend $((3640 * 86400))
start_client client 'route_mode: none'
say "ok: a client with its fingerprint connects"
stop "$client_pid"
stop "$server_pid"

cp "$work/server.crt" "$work/kept.crt"
again
check "the next start keeps it" -- cmp "$work/server.crt" "$work/kept.crt"
stop "$server_pid"

rm "$work/server.key"
try server "$build/qdt-server" --config "$work/server.yaml"
check_equal "a certificate without its key is an error" "$status" 1
check_contains "that names the file and the reason" "$output" "tls_key: read $work/server.key: No such file or directory"
check "the certificate is untouched" -- cmp "$work/server.crt" "$work/kept.crt"

# Elsewhere, a missing file is a mistake.
rm "$work/server.crt"
mkdir "$work/acme"
write_server_config 'tls_cert: acme/fullchain.pem' 'tls_key: acme/privkey.pem'
try server "$build/qdt-server" --config "$work/server.yaml"
check_equal "one that is missing elsewhere is an error" "$status" 1
check_contains "that names it" "$output" "tls_cert: read $work/acme/fullchain.pem: No such file or directory"
check_equal "nothing is made there" "$(ls "$work/acme")" ""
