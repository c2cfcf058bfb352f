#!/usr/bin/env bash
# The end of the server's certificate: a metric; a warning from 30 days before; an error past it,
# while clients with tls_fingerprint go on; and a certificate that is not valid yet.
. "$(dirname "$0")/topology.sh"

topology
# dated FROM DAYS: a self-signed certificate that is valid from then, for so many days.
dated() {
  local at
  at=$(date -u -d "$1" +%Y%m%d%H%M%SZ)
  rm -rf "$work/server.crt" "$work/server.key" "$work/ca"
  mkdir "$work/ca"
  touch "$work/ca/index"
  echo 01 >"$work/ca/serial"
  printf '[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=%s/ca\ndatabase=%s/ca/index\nserial=%s/ca/serial\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
    "$work" "$work" "$work" >"$work/ca.cnf"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/server.key" \
    -out "$work/request" -subj /CN=vpn.test 2>/dev/null
  openssl ca -batch -selfsign -config "$work/ca.cnf" -keyfile "$work/server.key" -in "$work/request" \
    -out "$work/server.crt" -notext -startdate "$at" \
    -enddate "$(date -u -d "$1 + $2 days" +%Y%m%d%H%M%SZ)" 2>/dev/null || fail "no certificate"
  chmod 600 "$work/server.key"
}
log() { cat "$work/server.log"; }

dated "2024-01-01" 31
write_server_config
try server "$build/qdt-server" --check-config --config "$work/server.yaml"
check_equal "--check-config refuses an expired certificate" "$status" 1
check_contains "and says which, and when" "$output" "server.crt expired on 2024-02-01 00:00:00 UTC"
start_server
check_contains "an expired certificate is an error in the log" "$(log)" "error: the certificate $work/server.crt expired on 2024-02-01"
check_contains "which says who is not concerned" "$(log)" "clients with tls_fingerprint go on"
check_equal "its end is a metric" "$(metric qdt_certificate_expiry_timestamp_seconds)" "$(date -u -d 2024-02-01 +%s)"
start_client client 'route_mode: none'
say "ok: a client with tls_fingerprint connects"
stop "$client_pid"

# Another one is put in its place, and read again.
dated "130 hours ago" 25  # half a day from the next number of days
kill -HUP "$server_pid"
wait_for 10 grep -q "expires in 19 days" "$work/server.log" || fail "no warning: $(log)"
check_contains "one that ends soon is a warning" "$(log)" "warning: the certificate $work/server.crt expires in 19 days, on "
check "the metric follows" -- test "$(metric qdt_certificate_expiry_timestamp_seconds)" -gt "$(date +%s)"
try server "$build/qdt-server" --check-config --config "$work/server.yaml"
check_equal "--check-config only warns of it" "$status" 0
check_contains "it says so" "$output" "expires in 19 days"
stop "$server_pid"

dated "5 days ago" 90
start_server
check_lacks "much time left: nothing is said" "$(log)" "expires"
stop "$server_pid"

dated "2 days" 90
start_server
check_contains "one that is not valid yet is an error in the log" "$(log)" "is not valid before"
check_contains "with the clock's time" "$(log)" "is the clock right?"
stop "$server_pid"
