#!/usr/bin/env bash
# While the tunnel takes everything, questions for names go through it or are refused at once; and
# name servers that somebody overwrites are set again.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
remember client
start_server 'dns: [192.0.2.80]'

name_servers() { grep ^nameserver "$file" | tr '\n' ' '; }
has_ours() { [ "$(name_servers)" = "nameserver 192.0.2.80 " ]; }
# question ADDRESS PORT: by UDP; whether it is refused at once. The first datagram brings the refusal,
# the second one tells of it.
is_refused() {
  local said
  said=$(on client bash -c "exec 3<>/dev/udp/$1/$2; echo q >&3; sleep 0.1; echo q >&3" 2>&1 || true)
  grep -q refused <<<"$said"
}

say "--- DNS outside of the tunnel is refused"
start_client client 'route_mode: default' "$public_lan"
watch router cl1 "src net 198.51.100.0/24 and (port 53 or port 853)"
check "a question to the LAN is refused at once" -- is_refused 198.51.100.1 53
on client timeout 5 bash -c "echo q >/dev/tcp/198.51.100.1/853" 2>"$work/tcp.log" && fail "DNS over TLS went"
check "DNS over TLS, too" -- grep -q refused "$work/tcp.log"
end_watch 198.51.100.2
check_equal "not one went" "$packets" ""
watch web eth0 'udp port 53'
on client getent ahostsv4 name.example.test >/dev/null || true
end_watch 192.0.2.1
check_contains "questions to the tunnel's name server go" "$packets" '192.0.2.80.53: '

say "--- name servers are kept"
echo 'nameserver 198.51.100.9' >"$file"
wait_for 10 has_ours || fail "name servers that were overwritten are not set again"
say "ok: name servers that were overwritten are set again"
check "the log tells" -- grep -q 'somebody changed the name servers' "$work/client.log"
echo 'nameserver 198.51.100.8' >"$file"
wait_for 10 has_ours || fail "they are not set a second time"
on client nft flush ruleset
check "a question is refused although somebody deletes all tables" -- is_refused 198.51.100.1 53
stop "$client_pid"
check_equal "in the end, what was written last is there" "$(cat "$file")" 'nameserver 198.51.100.8'
echo "nameserver 127.0.0.53" >"$file"
check_unchanged "and all else as it was" client

say "--- choices"
start_client client 'route_mode: default' "$public_lan" 'dns: [198.51.100.1]'
is_refused 198.51.100.1 54 || fail "this host cannot tell a refusal"
run router asked python3 -uc 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("198.51.100.1", 53))
print("ready")
print("asked by", s.recvfrom(512)[1][0])'
wait_for 10 grep -q ready "$work/asked.log" || fail "nobody listens"
on client getent ahostsv4 name.example.test >/dev/null || true
check "the client's own name server is asked wherever it is" -- grep -q 'asked by 198.51.100.2' "$work/asked.log"
stop "$client_pid"
start_client client 'route_mode: cidr'
is_refused 198.51.100.77 53 && fail "DNS is refused although the world is outside"
say "ok: with route_mode cidr nothing is refused"
stop "$client_pid"
check_unchanged "afterwards the host is as it was" client
