#!/usr/bin/env bash
# --check-config tells whether a configuration is good, and changes nothing.
. "$(dirname "$0")/topology.sh"

topology
remember server
remember client
write_server_config 'session_shards: 16'
write_client_config client 'insecure: true' 'auth: token' '#tls_fingerprint:'

try server "$build/qdt-server" --check-config --config "$work/server.yaml"
check_equal "a good one of the server" "$status" 0
check_contains "it is told" "$output" "$work/server.yaml is valid"
check_contains "with what has no effect" "$output" \
  "server.yaml:1:17: session_shards: has no effect: sessions live in their shard, without locks"
try client "$build/qdt-client" --check-config --config "$work/client.yaml"
check_equal "a good one of the client" "$status" 0
check_contains "it is told" "$output" "$work/client.yaml is valid"
check_contains "with what is dangerous" "$output" "client.yaml:1:11: insecure: any server is trusted"

chmod 644 "$work/client.yaml"
try client "$build/qdt-client" --check-config --config "$work/client.yaml"
check_contains "and who may read the token" "$output" "others may read it; chmod 600"

write_server_config 'mtu: 42' 'tokn: x'
try server "$build/qdt-server" --check-config --config "$work/server.yaml"
check_equal "a bad one" "$status" 1
check_contains "its first fault" "$output" 'server.yaml:1:6: mtu: found "42", expected'
check_contains "its second fault" "$output" 'server.yaml:2:1: tokn: unknown key; did you mean token?'

write_server_config 'tls_key: other.key'
try server "$build/qdt-server" --check-config --config "$work/server.yaml"
check_equal "a key that is not there" "$status" 1
check_contains "is told" "$output" "$work/other.key"

mkdir "$work/empty"
try server "$build/qdt-server" --check-config --config "$work/empty/server.yaml"
check_equal "a file that is not there" "$status" 1
check_contains "is told" "$output" "read $work/empty/server.yaml: No such file or directory"
check_equal "and nothing is made" "$(ls "$work/empty")" ""
check_unchanged "the server's host is as it was" server
check_unchanged "the client's host is as it was" client
