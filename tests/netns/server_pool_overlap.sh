#!/usr/bin/env bash
# A pool that overlaps a network of the server's own host is found before anything is touched, by
# --check-config too, IPv4 and IPv6: the message names both, the device, and what to change. So is a
# second server with the same pool, and a nat.external_iface that is not there.
. "$(dirname "$0")/topology.sh"

topology
remember server
: >"$work/server.log"

# refused WORDS DEVICE PREFIX YAML...: neither starts nor is valid.
refused() {
  write_server_config "${@:4}"
  try server "$build/qdt-server" --config "$work/server.yaml" --check-config
  check_equal "$1: --check-config finds it" "$status" 1
  check_contains "$1: it names network and device" "$output" "overlaps a network of this host, $3 of $2"
  try server "$build/qdt-server" --config "$work/server.yaml"
  check_equal "$1: the server does not start" "$status" 1
  check_contains "$1: it names network and device" "$output" "overlaps a network of this host, $3 of $2"
  check_contains "$1: and what to change" "$output" "choose another pool_cidr"
  check_unchanged "$1: nothing was touched" server
}
refused "the pool is the LAN" lan 192.0.2.0/24 'pool_cidr: 192.0.2.0/24'
check_contains "an own address is named" "$output" "where this host is 192.0.2.1"
check_contains "another pool is named" "$output" "such as 10.9.0.0/24"
refused "the pool is a part of it" lan 192.0.2.0/24 'pool_cidr: 192.0.2.128/25'
refused "the pool is wider" wan 203.0.113.0/24 'pool_cidr: 203.0.0.0/16'
refused "an IPv6 pool" lan 2001:db8:3::/64 'pool_cidr6: 2001:db8:3:0:8::/80'
ip -n "$(ns server)" route add 10.8.0.0/16 via 203.0.113.1
remember server
refused "a route to a network elsewhere" wan 10.8.0.0/16 'log_level: info'
start_server 'nat: {enabled: false}'
check "where nothing is translated, a wider network routes the pool here" -- kill -0 "$server_pid"
stop "$server_pid"
ip -n "$(ns server)" route del 10.8.0.0/16 via 203.0.113.1
remember server

start_server
write_server_config 'addr: ":4443"' 'tun_name: qdt1' 'metrics_addr: off' 'health_addr: off'
try server "$build/qdt-server" --config "$work/server.yaml"
check_equal "a second server with the same pool does not start" "$status" 1
check_contains "it names the first one's device" "$output" "10.8.0.0/24 of qdt0, where this host is 10.8.0.1"
write_server_config
try server "$build/qdt-server" --config "$work/server.yaml" --check-config
check_equal "the running server's own configuration is valid" "$status" 0
stop "$server_pid"

write_server_config 'nat: {enabled: true, external_iface: eth7}'
try server "$build/qdt-server" --config "$work/server.yaml" --check-config
check_equal "a missing external_iface may come later: valid" "$status" 0
check_contains "--check-config names it" "$output" "nat.external_iface: this host has no interface eth7"
check_unchanged "nothing is left" server
