#!/usr/bin/env bash
# A certificate of an older first start says qdt-server to every visitor: the log and --check-config
# tell, with the remedy; the certificate stays. One of today's first start says nothing.
. "$(dirname "$0")/topology.sh"

topology
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=qdt-server \
  -addext 'subjectAltName=DNS:qdt-server,IP:10.0.0.7' -keyout "$work/server.key" -out "$work/server.crt" 2>/dev/null
chmod 600 "$work/server.key" "$work/server.crt"
before=$(sha256sum "$work/server.crt")
start_server
says="says qdt-server, perhaps with this host's inner addresses"
check_contains "the log says so" "$(cat "$work/server.log")" "$says"
check_contains "with the remedy" "$(cat "$work/server.log")" "move it and its key away and restart"
try server "${server_command[@]}" --config "$work/server.yaml" --check-config
check_contains "--check-config, too" "$output" "$says"
check_equal "which is no error" "$status" 0
check_equal "the certificate is the user's" "$(sha256sum "$work/server.crt")" "$before"
stop "$server_pid"

rm "$work/server.crt" "$work/server.key"
: >"$work/server.log"
run server server "${server_command[@]}" --config "$work/server.yaml"
server_pid=$pid
wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
is_quiet() { ! grep -q 'says qdt-server' "$work/server.log"; }
check "the new one is not told of" -- is_quiet
check_contains "for it has the name that every server may have" \
  "$(openssl x509 -in "$work/server.crt" -noout -subject)" "localhost"
write_client_config client 'route_mode: cidr' "tls_fingerprint: sha256:$(fingerprint)"
run client client "$build/qdt-client" --config "$work/client.yaml"
check "a client with the new fingerprint gets in" -- \
  wait_for 10 grep -q 'connected: this host is' "$work/client.log"
