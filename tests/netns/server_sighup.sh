#!/usr/bin/env bash
# SIGHUP: the server reads its configuration, certificate and key again, says what is in force at once
# and what needs a restart, and goes on whatever it finds.
. "$(dirname "$0")/topology.sh"

topology
remember server
start_server 'log_level: info'
start_client client 'route_mode: cidr'
works() { on client ping -c 1 -W 2 10.8.0.1; }

log_has() { wait_for 5 grep -qF -- "$1" "$work/server.log"; }
kill -HUP "$server_pid"
check "it says that it has read the files" -- log_has 'server.yaml and the certificate again: the same certificate'
check "the session goes on" -- works

old=$(fingerprint)
"$here/../../scripts/gen-cert.sh" "$work/new.crt" "$work/new.key" "$server_address" >/dev/null
cp "$work/new.crt" "$work/server.crt"
cp "$work/new.key" "$work/server.key"
write_server_config 'log_level: warn' 'lease_grace: 7m' 'nat: {inbound: allow}' 'max_sessions: 7'
kill -HUP "$server_pid"
check "a new certificate is in force" -- log_has "clients are shown the certificate sha256:$(fingerprint)"
check "what needs a restart is named" -- log_has 'only after a restart: nat.inbound, lease_grace'
check "and what is in force" -- log_has 'in force from now on: max_sessions, log_level'
check "the session goes on" -- works
stop "$client_pid"
start_client client 'route_mode: cidr'
check "a client that trusts the new certificate alone connects" -- works
check_equal "the new log level is in force" "$(tail -n 1 "$work/server.log" | grep -c 'session of')" 0
try_client client "tls_fingerprint: sha256:$old"
check "one that trusts the old one does not" -- test "$status" -ne 0

echo 'addr: [' >>"$work/server.yaml"
kill -HUP "$server_pid"
check "a broken file changes nothing, and the log says so" -- log_has 'error: SIGHUP: nothing is changed: '
write_server_config
echo broken >"$work/server.key"
kill -HUP "$server_pid"
check "so does a broken key" -- log_has "nothing is changed: $work/server.yaml:4:10: tls_key: "
rm "$work/server.yaml"
kill -HUP "$server_pid"
check "and a file that is not there" -- log_has 'server.yaml: No such file'
for _ in $(seq 20); do kill -HUP "$server_pid"; done
stop "$client_pid"
start_client client 'route_mode: cidr'
check "the server goes on as it was" -- works
stop "$server_pid"
check_equal "until its end" "$status" 0
check_unchanged "its host is as it was" server
