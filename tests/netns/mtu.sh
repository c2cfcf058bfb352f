#!/usr/bin/env bash
# The smaller MTU of the two sides counts; whoever sends larger packets that may not be cut is told.
. "$(dirname "$0")/topology.sh"

topology 2
# The host was a router before, so the networks behind it may begin with clients.
on server sysctl -qw net.ipv4.ip_forward=1
start_server 'mtu: 1350' 'nat: {inbound: allow}'
start_client client 'route_mode: cidr' 'mtu: 1000'
start_client client2 'route_mode: cidr' 'mtu: 9000'

mtu() { ip -n "$(ns "$1")" -o link show qdt0 | sed 's/.* mtu \([0-9]*\).*/\1/'; }
check_equal "the server's device has the server's MTU" "$(mtu server)" 1350
check_equal "a client with a smaller one keeps it" "$(mtu client)" 1000
check_equal "a client with a larger one takes the server's" "$(mtu client2)" 1350

# 28 bytes of a ping are headers.
for size in 972 1322 4000; do
  check "packets of $size bytes that may be cut pass" -- \
    on client2 ping -c 2 -i 0.2 -W 2 -M dont -s "$size" "$(lease client)"
done
check "a packet of the smaller MTU that may not be cut passes" -- \
  on client2 ping -c 2 -i 0.2 -W 2 -M 'do' -s 972 "$(lease client)"

too_big() { metric 'qdt_drops_total{reason="too_big"}'; }
on client2 ping -c 1 -W 2 -M 'do' -s 973 "$(lease client)" >"$work/too_big.log" 2>&1 || true
check_contains "one byte more, and the other client is told" "$(cat "$work/too_big.log")" "mtu = 1000"
check_equal "the drop is counted" "$(too_big)" 1
try client2 ping -c 1 -W 2 -M 'do' -s 973 "$(lease client)"
check_contains "its host remembers" "$output" "mtu=1000"

ip -n "$(ns web)" route add 10.8.0.0/24 via 192.0.2.1
try web ping -c 1 -W 2 -M 'do' -s 1300 "$(lease client)"
check_contains "a host of the world is told, too" "$output" "mtu = 1000"
on server ping -c 1 -W 2 -M 'do' -s 1300 "$(lease client)" >"$work/too_big.log" 2>&1 || true
check_contains "and the server itself" "$(cat "$work/too_big.log")" "mtu = 1000"

mkdir "$work/files"
head -c 1000000 /dev/urandom >"$work/files/file"
for pair in 'client client2' 'client2 client'; do
  read -r from to <<<"$pair"
  serve_files "$from" "$(lease "$from")"
  check "TCP from $from to $to finds its size" -- \
    fetch "$to" -o "$work/copy" "http://$(lease "$from"):8000/file"
  check "and is right" -- cmp "$work/files/file" "$work/copy"
done
