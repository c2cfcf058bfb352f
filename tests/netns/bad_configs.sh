#!/usr/bin/env bash
# Bad configurations, given to the real programs: each is refused with its place in the file, what
# was found and what is allowed; nothing on the host is touched.
. "$(dirname "$0")/topology.sh"

topology
remember server
remember client

# bad PROGRAM "LINE:COLUMN: KEY: REST" YAML...: the error for a file of these lines.
bad() {
  local host=${1#qdt-}
  printf '%s\n' "${@:3}" >"$work/bad.yaml"
  chmod 600 "$work/bad.yaml"
  try "$host" "$build/$1" --config "$work/bad.yaml"
  [ "$status" -eq 1 ] || fail "$1 with ${*:3}: status $status, $output"
  check_contains "$1: ${*:3}" "$output"$'\n' "$1: $work/bad.yaml:$2"
}
server_key() { bad qdt-server "$1" "token: $token" "${@:2}"; }
client_key() { bad qdt-client "$1" 'server: vpn.test' "token: $token" "${@:2}"; }

server_key '2:6: mtu: found "big", expected auto or a whole number from 576 to 65535' 'mtu: big'
server_key '2:6: mtu: found "575", expected auto or a whole number from 576 to 65535' 'mtu: 575'
server_key '2:1: mtu: found nothing, expected auto or a whole number from 576 to 65535' 'mtu:'
server_key '2:7: addr: found "443", expected IP:PORT or :PORT' 'addr: 443'
server_key '2:7: addr: found "127.0.0.1", expected IP:PORT' 'addr: 127.0.0.1'
server_key '2:7: addr: found "127.0.0.1:0", expected IP:PORT' 'addr: 127.0.0.1:0'
server_key '2:1: adr: unknown key; did you mean addr?' 'adr: :443'
server_key '2:1: route_mode: unknown key; it belongs into client.yaml' 'route_mode: none'
server_key '3:1: mtu: given again; line 2 has it already' 'mtu: 1350' 'mtu: 1400'
server_key '2:12: pool_cidr: found "10.8.0.0/33", expected an IPv4 prefix from /8 to /30' \
  'pool_cidr: 10.8.0.0/33'
server_key '2:12: pool_cidr: found "10.8.0.1/24", expected' 'pool_cidr: 10.8.0.1/24'
server_key '2:12: pool_cidr: found "fd00::/64", expected an IPv4 prefix' 'pool_cidr: fd00::/64'
server_key '2:13: gateway_ip: found "10.9.0.1", expected an address in pool_cidr, 10.8.0.0/24' \
  'gateway_ip: 10.9.0.1'
server_key '2:13: gateway_ip: found "10.8.0.255", the broadcast address of 10.8.0.0/24' \
  'gateway_ip: 10.8.0.255'
server_key '2:6: dns: found "1.1.1.1", expected a list' 'dns: 1.1.1.1'
server_key '2:18: session_timeout: found "90", expected a duration' 'session_timeout: 90'
server_key '2:18: session_timeout: found "999ms", expected a duration from 1s' 'session_timeout: 999ms'
server_key '2:17: handshake_rate: found "5", expected keys below it: pps, burst' 'handshake_rate: 5'
server_key '2:19: rate_limit.pps: found "-1", expected a number from 0' 'rate_limit: {pps: -1}'
server_key '2:16: nat.enabled: found "maybe", expected true or false' 'nat: {enabled: maybe}'
server_key '2:11: tun_name: found "a/b", expected an interface name' 'tun_name: a/b'
server_key '2:15: send_workers: found "65", expected a whole number from 0 to 64' 'send_workers: 65'
server_key '2:12: log_level: found "loud", expected debug, info, warn or error' 'log_level: loud'
server_key '2:13: pprof_addr: found "0.0.0.0:6060", expected a loopback address' \
  'pprof_addr: 0.0.0.0:6060'
server_key '3:13: pprof_addr: 127.0.0.1:6060 overlaps health_addr, 127.0.0.1:6060' \
  'health_addr: 127.0.0.1:6060' 'pprof_addr: 127.0.0.1:6060'
server_key '2:23: max_reassembly_bytes: found "100", expected' 'max_reassembly_bytes: 100'
bad qdt-server ' token: missing' 'mtu: 1350'
bad qdt-server '1:8: token: found something else, expected a secret' 'token: changeme'
bad qdt-server '2:11: not valid YAML: ' "token: $token" '  - broken: [yaml'
client_key '3:13: route_mode: found "all", expected default, cidr or none' 'route_mode: all'
client_key '3:18: tls_fingerprint: found "sha256:12", expected sha256: followed by 64 hex digits' \
  'tls_fingerprint: sha256:12'
client_key '3:10: timeout: found "0s", expected a duration from 1s to 10m' 'timeout: 0s'
client_key '3:11: insecure: found "perhaps", expected true or false' 'insecure: perhaps'
client_key '3:1: tls_fingerprnt: unknown key; did you mean tls_fingerprint?' 'tls_fingerprnt: x'
client_key '3:1: pool_cidr: unknown key; it belongs into server.yaml' 'pool_cidr: 10.8.0.0/24'
bad qdt-client '1:9: server: found "vpn test", expected HOST or HOST:PORT' 'server: vpn test' "token: $token"
bad qdt-client '1:9: server: found "vpn.test:0", expected HOST or HOST:PORT' 'server: vpn.test:0' "token: $token"
bad qdt-client ' server: missing' "token: $token"

server_key '2:6: mtu: ' 'mtu: big' 'addr: 443' 'tokn: x'
check_contains "one run tells of every fault" "$output" 'bad.yaml:3:7: addr: '
check_contains "to the last" "$output" 'bad.yaml:4:1: tokn: '
check_unchanged "the server's host is as it was" server
check_unchanged "the client's host is as it was" client
