#!/usr/bin/env bash
# dns: off leaves this host's name servers alone, whatever the server pushes, and they go on answering.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
echo 'nameserver 198.51.100.1 # mine' >"$file"
cp "$file" "$work/old"
run router resolver python3 "$here/name_server.py" serve 198.51.100.1 name.test=192.0.2.80
resolves() { on client timeout 5 getent ahostsv4 name.test; }
wait_for 10 grep -q ready "$work/resolver.log" || fail "nobody answers questions for names"
resolves || fail "the router resolves no name"

start_server 'dns: [192.0.2.53]'
start_client client 'dns: off'
check "the file is as it was" -- cmp "$file" "$work/old"
check "names are still resolved by it" -- resolves
check "the log says why" -- grep -q "stay this host's: dns is off" "$work/client.log"
check "a name server of the server's choice is not used" -- test "$(grep -c 192.0.2.53 "$file")" -eq 0
stop "$client_pid"
check "nothing has changed in the end" -- cmp "$file" "$work/old"
