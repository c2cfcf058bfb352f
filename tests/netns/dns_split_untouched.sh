#!/usr/bin/env bash
# A tunnel that does not take everything leaves the name servers alone: those of the own network know
# its names. The user's own `dns` replaces them.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
printf 'search lan.test\nnameserver 198.51.100.1\noptions timeout:1 attempts:2\n' >"$file"
cp "$file" "$work/old"
run router resolver python3 "$here/name_server.py" serve 198.51.100.1 nas.lan.test=198.51.100.7
resolves() { on client timeout 5 getent ahostsv4 nas; }
wait_for 10 grep -q ready "$work/resolver.log" || fail "nobody answers questions for names"
resolves || fail "the router resolves no name"

start_server 'dns: [192.0.2.53]'
for mode in cidr none; do
  start_client client "route_mode: $mode"
  check "route_mode: $mode leaves the file alone" -- cmp "$file" "$work/old"
  check "a name of the own network is resolved" -- resolves
  check "the log says how to get others" -- grep -q 'dns in the configuration names others' "$work/client.log"
  stop "$client_pid"
done

start_client client 'route_mode: cidr' 'dns: [192.0.2.90]'
check "the user's own name servers are used" -- grep -qx 'nameserver 192.0.2.90' "$file"
check "in place of the others" -- test "$(grep -c ^nameserver "$file")" -eq 1
stop "$client_pid"

stop "$server_pid"
start_server 'dns: [192.0.2.53]' 'dns_domains: [corp.example]'
start_client client 'route_mode: cidr'
check "domains alone do not replace the name servers of a host that cannot tell names apart" -- \
  cmp "$file" "$work/old"
check "the log says so" -- grep -q 'for some domains alone' "$work/client.log"
stop "$client_pid"
try_client client 'route_mode: cidr' 'dns_required: true'
check_equal "unless they are required" "$status" 1
check "nothing has changed in the end" -- cmp "$file" "$work/old"
