#!/usr/bin/env bash
# A client's trust: the certificate with the fingerprint it was given; else what the system's
# authorities have signed for the name in `server`; everybody only when it is told to, with a warning.
. "$(dirname "$0")/topology.sh"

topology
echo "$server_address vpn.test other.test" >>"$(etc client hosts)"
start_server

# refused WORDS PART: the last client did not connect, and says why.
refused() {
  check_equal "$1 is not trusted" "$status" 3
  check_contains "it says so" "$output" "qdt-client: the server at $server_address:443 is not trusted: "
  check_contains "and why" "$output" "$2"
  check_lacks "and did not connect" "$output" " connected: "
}
trusted() { check "$1 is trusted" -- on client ping -c 1 -W 2 10.8.0.1; stop "$client_pid"; }

try_client client '#tls_fingerprint:'
refused "an unknown certificate" "issuer is unknown"
check_contains "it says what to do" "$output" "ask its operator for the tls_fingerprint"
check_contains "and the server did print it" "$(cat "$work/server.log")" "sha256:$(fingerprint)"
start_client client
trusted "the certificate with the right fingerprint"
start_client client 'server: other.test'
trusted "it, under another name,"
try_client client "tls_fingerprint: sha256:$(printf '%064d' 1)"
refused "one with another fingerprint" "does not have the fingerprint in tls_fingerprint"
start_client client '#tls_fingerprint:' 'insecure: true' 'auth: token'
check_contains "insecure warns" "$(cat "$work/client.log")" \
  "insecure: true: the server's certificate is not checked"
trusted "with insecure, any certificate"
start_client client '#tls_fingerprint:' 'insecure: true'
check "by version 2 nobody has to be warned" -- sh -c "! grep -q 'insecure: true' $work/client.log"
trusted "with insecure, whoever proves to have the token"
stop "$server_pid"

# An authority that this client's system trusts, and a server's certificate from it.
new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -x509 -days 2)
openssl req "${new_key[@]}" -subj '/CN=Test authority' -keyout "$work/ca.key" -out "$work/ca.crt" \
  -addext basicConstraints=critical,CA:TRUE 2>/dev/null
openssl req "${new_key[@]}" -subj '/CN=A server' -keyout "$work/signed.key" -out "$work/signed.crt" \
  -CA "$work/ca.crt" -CAkey "$work/ca.key" -addext basicConstraints=critical,CA:FALSE \
  -addext "subjectAltName=DNS:vpn.test,IP:$server_address" 2>/dev/null
mkdir -p "$(etc client ssl/certs)"
cp "$work/ca.crt" "$(etc client ssl/certs/ca-certificates.crt)"

start_server 'tls_cert: signed.crt' 'tls_key: signed.key'
start_client client '#tls_fingerprint:' 'server: vpn.test'
trusted "a certificate for the name, from an authority of the system,"
start_client client '#tls_fingerprint:'
trusted "a certificate for the address"
try_client client '#tls_fingerprint:' 'server: other.test'
refused "a certificate for another name" "name in the certificate does not match"
stop "$server_pid"

start_server
try_client client '#tls_fingerprint:' 'server: vpn.test'
refused "a certificate from no authority, for the right name" "issuer is unknown"
: >"$(etc client ssl/certs/ca-certificates.crt)"
try_client client '#tls_fingerprint:' 'server: vpn.test'
check_equal "without any authority, the client does not start" "$status" 1
check_contains "it says what to do" "$output" "install ca-certificates, or ask the operator of the server for its tls_fingerprint"
