#!/usr/bin/env bash
# A resolver on this host goes on answering while the tunnel takes everything; whom it asks in the
# network is not known, so those questions go through the tunnel or nowhere, and the log says how to have
# them let out.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
echo 'nameserver 127.0.0.1' >"$file"
cp "$file" "$work/old"
run client local python3 "$here/name_server.py" serve 127.0.0.1 name.test=192.0.2.81
run router lan python3 "$here/name_server.py" serve 198.51.100.1 name.test=192.0.2.82
for name in local lan; do
  wait_for 10 grep -q ready "$work/$name.log" || fail "nobody answers questions for names"
done
resolved() { on client timeout 5 getent ahostsv4 name.test | head -n 1; }
asks() { on client python3 "$here/name_server.py" ask "$1" name.test 2>>"$work/ask.log"; }

start_server 'dns: []'
start_client client 'route_mode: default'
check_contains "the resolver on this host answers" "$(resolved)" 192.0.2.81
check "the log says whom it may ask" -- grep -q 'the resolver on this host asks through the tunnel alone' "$work/client.log"
asks 198.51.100.1 >"$work/answer.log" || true
check "its question to the network does not go around the tunnel" -- \
  test "$(grep -c 'by 198.51.100.2' "$work/lan.log")" -eq 0
stop "$client_pid"
check "the file is as it was" -- cmp "$file" "$work/old"

start_client client 'route_mode: default' 'dns: [198.51.100.1]'
check_contains "dns names the network's" "$(resolved)" 192.0.2.82
stop "$client_pid"
check "the file is back" -- cmp "$file" "$work/old"
