#!/usr/bin/env bash
# A name server with a link-local address and its zone (fe80::53%eth0) is kept byte for byte, asked
# around the kill switch for the server's name, and asked beside a tunnel that brings none of its own;
# the client's own configuration may name one.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
printf 'nameserver fe80::53%%eth0\noptions timeout:2' >"$file"
cp "$file" "$work/old"
ip -n "$(ns router)" -6 address add fe80::53/64 dev cl1
run router names python3 "$here/name_server.py" serve fe80::53%cl1 vpn.test="$server_address" name.test=192.0.2.81
wait_for 10 grep -q ready "$work/names.log" || fail "nobody answers questions for names"
resolves() { on client timeout 5 getent ahostsv4 name.test; }
check "names are resolved without a tunnel" -- resolves

start_server 'dns: [192.0.2.80]'
start_client client "server: 'vpn.test:443'" 'kill_switch: true'
check "the server's name is found behind the kill switch" -- grep -q 'asked for vpn.test' "$work/names.log"
stop "$client_pid" KILL
start_client client "server: 'vpn.test:443'" 'kill_switch: true'
say "ok: also after a crash, which leaves the kill switch up"
stop "$client_pid"
check "the old file is back" -- cmp "$file" "$work/old"

start_client client 'route_mode: default' 'dns: ["fe80::53%eth0"]'
check "the client's own configuration names one" -- grep -qx 'nameserver fe80::53%eth0' "$file"
check "and it answers" -- resolves
stop "$client_pid"
stop "$server_pid"
start_server 'dns: []'
start_client client 'route_mode: default'
check "it answers beside a tunnel without name servers" -- resolves
stop "$client_pid"
check "nothing has changed" -- cmp "$file" "$work/old"
