#!/usr/bin/env bash
# --check-config finds all that a start would meet on this host, at once, with the place in the
# file: devices, addresses, certificate and key, the programs of hooks. It changes nothing.
. "$(dirname "$0")/topology.sh"

topology
remember server
check_server() {
  write_server_config "$@"
  try server "$build/qdt-server" --check-config --config "$work/server.yaml"
}
check_client() {
  write_client_config client "$@"
  try client "$build/qdt-client" --check-config --config "$work/client.yaml"
}
# finds WORDS STATUS PART...
finds() {
  local part
  check_equal "$1: status $2" "$status" "$2"
  for part in "${@:3}"; do check_contains "$1 is found" "$output" "$part"; done
}

check_server 'nat: {external_iface: eth7}' 'addr: "203.0.113.99:443"' 'metrics_addr: "192.0.2.99:9435"' 'tls_key: other.key'
finds "everything at once" 1 "server.yaml:1:23: warning: nat.external_iface: this host has no interface eth7" \
  "server.yaml:2:7: error: addr: no interface of this host has the address 203.0.113.99" \
  "server.yaml:3:15: error: metrics_addr: no interface of this host has the address 192.0.2.99" \
  "server.yaml:4:10: error: tls_key: read $work/other.key: No such file or directory"
check_server 'nat: {external_iface: eth7}'
finds "an interface that may come" 0 "warning: nat.external_iface"
check_server 'nat: {external_iface: lan}' 'addr: "203.0.113.2:443"'
finds "what is there" 0 "is valid"
check_lacks "nothing else is told" "$output" "warning"
check_server 'user: nobody-of-that-name'
finds "a user that is not there" 1 "server.yaml:1:7: error: user: this host has no user nobody-of-that-name; make it with: useradd"
check_server 'addr: "127.0.0.1:443"' 'pprof_addr: "127.0.0.1:6060"'
finds "loopback" 0 "is valid"

# A running server's own address is not taken for another's.
start_server
try server "$build/qdt-server" --check-config --config "$work/server.yaml"
finds "a running server's configuration" 0 "is valid"
stop "$server_pid"

chmod 644 "$work/server.key"
check_server
finds "a key that others may read" 1 "error: tls_key: $work/server.key: holds the private key, and others may read it; chmod 600"
chmod 600 "$work/server.key"
"$here/../../scripts/gen-cert.sh" "$work/other.crt" "$work/other.key" vpn.test >/dev/null
check_server 'tls_key: other.key'
finds "another certificate's key" 1 "do not belong together"
echo nonsense >"$work/other.crt"
check_server 'tls_cert: other.crt'
finds "no certificate" 1 "tls_cert: $work/other.crt: it has no certificate"
check_server 'tls_key: server.crt'
finds "no key" 1 "tls_key: $work/server.crt: it has no private key"
openssl ec -aes128 -passout pass:secret -in "$work/server.key" -out "$work/locked.key" 2>/dev/null
chmod 600 "$work/locked.key"
check_server 'tls_key: locked.key'
finds "an encrypted key" 1 "tls_key: $work/locked.key: it is encrypted"
mkdir "$work/folder"
check_server 'tls_cert: folder'
finds "a folder" 1 "tls_cert: read $work/folder: Is a directory"
check_server 'tls_cert: /dev/zero'
finds "an endless file" 1 "tls_cert: read /dev/zero: larger than 1048576 bytes"
: >"$work/empty.crt"
check_server 'tls_cert: empty.crt'
finds "an empty file" 1 "tls_cert: $work/empty.crt: it has no certificate"
ln -s "$work/loop" "$work/loop"
check_server 'tls_cert: loop'
finds "a link to itself" 1 "tls_cert: read $work/loop: Too many levels of symbolic links"

printf '#!/bin/sh\n' >"$work/hook"
check_client "up: [$work/hook]" "down: [$work/missing, now]"
finds "hooks" 1 "client.yaml:1:5: error: up: run $work/hook: Permission denied" \
  "client.yaml:2:7: error: down: run $work/missing: No such file or directory"
chmod 755 "$work/hook"
check_client "up: [$work/hook]" "down: [$work/folder]"
finds "a folder as a hook" 1 "down: run $work/folder: Is a directory"
check_lacks "the good one is not told" "$output" " up: "
check_client 'user: nobody-of-that-name'
finds "a client's user that is not there" 1 "client.yaml:1:7: error: user: this host has no user nobody-of-that-name"
check_client "up: [$work/hook]"
finds "a hook that can be run" 0 "is valid"
check_unchanged "the server's host is as it was" server
