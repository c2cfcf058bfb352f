#!/usr/bin/env bash
# This host's clock is behind, as at a boot without a battery: the server's certificate is not valid
# yet. wait_for_server waits until it is; without it, the client ends and names both times.
. "$(dirname "$0")/topology.sh"

topology
day=86400
now=$(date +%s)
# signed BEGIN END: server.crt for the server's address, from an authority that the client trusts,
# valid from so many seconds from now to so many.
signed() {
  rm -rf "$work/authority"
  mkdir "$work/authority"
  : >"$work/authority/index"
  echo 01 >"$work/authority/serial"
  cat >"$work/authority.cnf" <<CNF
[ca]
default_ca=this
[this]
dir=$work/authority
database=$work/authority/index
serial=$work/authority/serial
new_certs_dir=$work/authority
certificate=$work/authority.crt
private_key=$work/authority.key
default_md=sha256
policy=names
x509_extensions=server
unique_subject=no
[names]
commonName=supplied
[server]
subjectAltName=IP:$server_address
CNF
  openssl ca -batch -notext -config "$work/authority.cnf" -in "$work/server.csr" -out "$work/server.crt" \
    -startdate "$(date -u -d "@$(($(date +%s) + $1))" +%Y%m%d%H%M%SZ)" \
    -enddate "$(date -u -d "@$((now + $2))" +%Y%m%d%H%M%SZ)" >/dev/null 2>&1 || fail "no certificate"
}
key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${key[@]}" -days 30 -keyout "$work/authority.key" -out "$work/authority.crt" \
  -subj '/CN=Test authority' -addext basicConstraints=critical,CA:TRUE 2>/dev/null
openssl req "${key[@]}" -keyout "$work/server.key" -out "$work/server.csr" -subj /CN=vpn.test 2>/dev/null
chmod 600 "$work/server.key"
mkdir -p "$(etc client ssl/certs)"
cp "$work/authority.crt" "$(etc client ssl/certs/ca-certificates.crt)"

signed 7 $day
start_server
try_client client '#tls_fingerprint:'
check_equal "without wait_for_server, the client ends: not reached" "$status" 3
check_contains "it says that the certificate is not valid yet" "$output" "not yet valid"
check_contains "and from when it is" "$output" "It is valid from $(date -u +%Y-%m-)"
check_contains "and what this host's clock says" "$output" "this host's clock says $(date -u +%Y-%m-)"
check_lacks "and nothing of fingerprints" "$output" "tls_fingerprint"

run_client client '#tls_fingerprint:' 'wait_for_server: true'
check "with wait_for_server, it waits" -- wait_for 10 grep -q 'connecting: .*not yet valid' "$work/client.log"
check "and is connected once the certificate is valid" -- \
  wait_for 30 grep -q 'connected: this host is' "$work/client.log"
stop "$client_pid"
stop "$server_pid"

signed -$day -10
start_server
try_client client '#tls_fingerprint:' 'wait_for_server: true'
check_equal "a certificate that is over is not waited for" "$status" 3
check_contains "its end is named" "$output" "It was valid until $(date -u -d "@$((now - 10))" '+%Y-%m-%d %H:%M:%S') UTC"
