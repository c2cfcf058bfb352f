#!/usr/bin/env bash
# A server whose certificate is not the expected one: the client says that it was renewed or that
# somebody is in between, and sends its user to the operator. It never tells to trust what was seen.
. "$(dirname "$0")/topology.sh"

topology
start_server
old=$(fingerprint)
start_client client 'route_mode: none'
stop "$client_pid"
stop "$server_pid"

rm "$work/server.crt" "$work/server.key"
start_server
# told: what every message about a distrusted server has, and lacks.
told() {
  check_equal "$1: the client ends" "$status" 3
  check_contains "$1: it is not trusted" "$output" "is not trusted: "
  check_contains "$1: the operator is to be asked" "$output" "operator"
  check_lacks "$1: it does not tell what was seen" "$output" "$(fingerprint)"
  check_lacks "$1: it does not say to set tls_fingerprint" "$output" "set tls_fingerprint"
}
try_client client "tls_fingerprint: sha256:$old"
told "another fingerprint"
check_contains "both reasons are named" "$output" "was renewed, or somebody is in between"
try_client client '#tls_fingerprint:'
told "an unknown authority"
mkdir -p "$(etc client ssl/certs)"
: >"$(etc client ssl/certs/ca-certificates.crt)"
try_client client '#tls_fingerprint:'
check_equal "without any authority the client does not start" "$status" 1
check_contains "it says what to do" "$output" "install ca-certificates, or ask the operator"

# Reconnecting to a server whose certificate has changed meanwhile says the same in log and status.
cp "$work/server.crt" "$work/first.crt"
start_client client 'route_mode: cidr'
run client pings ping -i 0.2 10.8.0.1  # so that the client finds out at once
stop "$server_pid" KILL
rm "$work/server.crt" "$work/server.key"
start_server_with_new() {
  "$here/../../scripts/gen-cert.sh" "$work/server.crt" "$work/server.key" vpn.test >/dev/null
  run server server "$build/qdt-server" --config "$work/server.yaml"
}
start_server_with_new
wait_for 15 grep -q 'was renewed, or somebody is in between' "$work/client.log" || fail "the client says nothing"
check_lacks "it does not tell what was seen" "$(cat "$work/client.log")" "$(fingerprint)"
