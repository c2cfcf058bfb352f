#!/usr/bin/env bash
# A server that pushes no name servers leaves the host its own, and with route_mode: default one in the
# own network goes on answering; questions to others there are refused all the same. It is followed
# when another network brings another.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
echo 'nameserver 198.51.100.1' >"$file"
for address in 198.51.100.1 198.51.100.3; do
  [ "$address" = 198.51.100.1 ] || ip -n "$(ns router)" address add "$address/24" dev cl1
  run router "resolver-$address" python3 "$here/name_server.py" serve "$address" name.test=192.0.2.80
  wait_for 10 grep -q ready "$work/resolver-$address.log" || fail "nobody answers on $address"
done
resolves() { on client timeout 5 getent ahostsv4 name.test; }
asks() { on client python3 "$here/name_server.py" ask "$1" name.test 2>>"$work/ask.log"; }
resolves || fail "the router resolves no name"
asks 198.51.100.3 || fail "its other address resolves no name"

start_server 'dns: []'
start_client client 'route_mode: default' "$public_lan"
check "names are still resolved by the router" -- resolves
asks 198.51.100.3 && fail "another one of the network is asked"
say "ok: another one of the network is refused"
check "the log says why" -- grep -q "stay this host's: the server pushes none" "$work/client.log"

echo 'nameserver 198.51.100.3' >"$file"
wait_for 6 resolves || fail "another name server of the host's is not followed"
say "ok: another name server of the host's is followed"
stop "$client_pid"
check_equal "the file is left as it is" "$(cat "$file")" 'nameserver 198.51.100.3'
