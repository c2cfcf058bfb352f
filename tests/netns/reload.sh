#!/usr/bin/env bash
# A reload under sessions with traffic: certificate, token, name servers, routes and limits are those of the
# new files from then on, no session ends, and no inner packet is lost. Files that are not sound change
# nothing, and the answer says where.
. "$(dirname "$0")/topology.sh"

topology 3
start_server 'log_level: info'
start_client client 'route_mode: cidr' 'client_id: first'
first_pid=$client_pid
start_client client2 'route_mode: cidr' 'client_id: second'
second_pid=$client_pid
server() { on server "$build/qdt-server" "$@"; }
sessions() { server status --json | jq -r '[.sessions[] | select(.client == "first" or .client == "second") | .id] | sort | join(" ")'; }
has_route() { on "$1" ip route show "$2" dev qdt0 | grep -q .; }
log_has() { grep -qF -- "$1" "$work/server.log"; }
# Each way, all the time.
run client up ping -i 0.002 10.8.0.1
up_pid=$pid
run server down ping -i 0.002 "$(lease client2)"
down_pid=$pid
before=$(sessions)

# --- everything that is taken at once ---

old_token=$token old_fingerprint=$(fingerprint)
new_certificate() { rm -f "$work/$1.crt" "$work/$1.key" && "$here/../../scripts/gen-cert.sh" "$work/$1.crt" "$work/$1.key" "$server_address" >/dev/null; }
new_certificate new
cp "$work/new.crt" "$work/server.crt" && cp "$work/new.key" "$work/server.key"
token=another-token-fedcba9876543210
settings=('log_level: info' 'max_sessions: 3' 'dns: [192.0.2.53]' 'push_routes: [192.0.2.0/24]'
  'handshake_ip_rate: {pps: 50}' 'decoy: {status: 404}')
write_server_config "${settings[@]}" 'rate_limit: {pps: 5000}' 'session_timeout: 1h'
said=$(server reload)
check_contains "a reload shows the new certificate" "$said" "clients are shown the certificate sha256:$(fingerprint)"
check_contains "names what is in force" "$said" "changed, and in force: token, dns, push_routes, decoy, max_sessions, \
handshake_ip_rate.pps, rate_limit.pps"
check_contains "and what is not" "$said" "only after a restart: session_timeout"
check "so does the log" -- log_has "in force from now on: token, dns"
check_equal "max_sessions is in the metrics" "$(metric qdt_sessions_limit)" 3

start_client client3 'route_mode: cidr' 'client_id: third'
third_pid=$client_pid
check "the next client trusts the new certificate, and shows the new token" -- on client3 ping -c 1 -W 2 10.8.0.1
check "it is told of the new routes" -- wait_for 5 has_route client3 192.0.2.0/24
check "so are those that are connected" -- wait_for 5 has_route client 192.0.2.0/24
check_contains "max_sessions counts those from before" "$(probe client3)" "503"
stop "$third_pid"
check_contains "whoever comes is told of the new name servers" "$(probe client3)" '"dns":["192.0.2.53"]'
try_client client3 "tls_fingerprint: sha256:$old_fingerprint"
check_contains "the old certificate is not shown any more" "$output" "is not trusted"
try_client client3 "token: $old_token"
check_equal "the old token is refused" "$status" 2
check_equal "no session has ended" "$(sessions)" "$before"

# --- files that are not sound ---

# refuses WORDS EXPECTED: a reload fails and says so, and nothing is changed.
refuses() {
  try server "$build/qdt-server" reload
  check_equal "$1: fails" "$status" 1
  check_contains "$1: says where" "$output" "nothing is changed: $2"
  check_equal "$1: nothing is changed" "$(metric qdt_sessions_limit)" 3
  check_contains "$1: clients are taken as before" "$(probe client3)" '200 {'
}
good=$token config="$work/server.yaml"
token=a-third-token-0123456789
write_server_config 'max_sessions: 9'
printf 'dns: [\n' >>"$config"
token=$good
refuses "YAML that does not end" "$config:"
write_broken() { token=a-third-token-0123456789 write_server_config 'max_sessions: 9' "$@"; }
write_broken 'mtu: big'
line=$(grep -n '^mtu' "$config" | cut -d: -f1)
refuses "a value that is none" "$config:$line:6: mtu: found \"big\""
write_broken 'max_session: 9'
refuses "a key that is none" "$config:"
write_broken
line=$(grep -n '^tls_key' "$config" | cut -d: -f1)
new_certificate other
cp "$work/other.key" "$work/server.key"
refuses "a key of another certificate" "$config:$line:10: tls_key: "
head -c 100 "$work/new.key" >"$work/server.key"
refuses "half a key" "$config:$line:10: tls_key: "
cp "$work/new.key" "$work/server.key" && chmod 644 "$work/server.key"
refuses "a key that others may read" "$config:$line:10: tls_key: "
chmod 600 "$work/server.key"
line=$(grep -n '^tls_cert' "$config" | cut -d: -f1)
head -c 300 "$work/new.crt" >"$work/server.crt"
refuses "half a certificate" "$config:$line:11: tls_cert: "
rm "$work/server.crt"
refuses "no certificate" "$config:$line:11: tls_cert: "
mkdir "$work/server.crt"
refuses "a folder" "$config:$line:11: tls_cert: "
rmdir "$work/server.crt"
ln -s /dev/zero "$work/server.crt"
refuses "a device without end" "$config:$line:11: tls_cert: "
rm "$work/server.crt"
cp "$work/new.crt" "$work/server.crt"
chmod 644 "$config"
refuses "a configuration that others may read" "$config: holds a secret"
rm "$config"
refuses "no configuration" "read $config: No such file"
mkdir "$config"
refuses "a folder in its place" "read $config: Is a directory"
rmdir "$config"
write_server_config "${settings[@]}"

# --- at the same moment ---

: >"$work/answers"
for _ in $(seq 8); do
  server reload >>"$work/answers" 2>&1 & asked+=($!)
  kill -HUP "$server_pid"
done
for one in "${asked[@]}"; do wait "$one" || fail "a reload beside others: $(cat "$work/answers")"; done
check_equal "many at once are answered alike" "$(sort -u "$work/answers")" "the files are read again: the same certificate"

# --- limits of sessions that are there ---

check_equal "no session has ended" "$(sessions)" "$before"
# check_answered NAME PID: each of its packets was, but for a last one that may be under way.
check_answered() {
  local numbers
  stop "$2" INT
  numbers=$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' "$work/$1.log" | sort -nu)
  check "$1: of $(wc -l <<<"$numbers") packets none was lost" -- test "$numbers" = "$(seq "$(wc -l <<<"$numbers")")"
  check "$1: they were many" -- test "$(wc -l <<<"$numbers")" -gt 200
}
check_answered up "$up_pid"
check_answered down "$down_pid"

write_server_config "${settings[@]}" 'rate_limit: {pps: 10, burst: 20}'
check_contains "a narrower limit" "$(server reload)" "changed, and in force: rate_limit.pps, rate_limit.burst"
flood() { on "$1" ping -q -c 300 -i 0.005 -W 1 "$2" | sed -n 's/.* \([0-9]*\) received.*/\1/p'; }
for host in client client2; do
  begun=${EPOCHREALTIME/./}
  passed=$(flood "$host" 10.8.0.1)
  most=$((20 + 10 * (${EPOCHREALTIME/./} - begun) / 1000000 + 5))
  check "counts for the session of $host that is there ($passed of 300, at most $most)" -- \
    test "$passed" -ge 10 -a "$passed" -le "$most"
done
write_server_config "${settings[@]}" 'rate_limit: {pps: 0}'
server reload >/dev/null
check_equal "and none any more lets all pass" "$(flood client 10.8.0.1)" 300
check_equal "no session has ended" "$(sessions)" "$before"
stop "$first_pid"
stop "$second_pid"
stop "$server_pid"
check_equal "the server ends in order" "$status" 0
