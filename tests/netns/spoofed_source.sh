#!/usr/bin/env bash
# A client speaks for its lease alone: packets from any other source are dropped, by an honest
# client before they leave, which tells its host so, and by the server from whomever they come.
. "$(dirname "$0")/topology.sh"

topology 2
start_server
start_client client 'route_mode: cidr'
start_client client2 'route_mode: cidr'
client2_pid=$client_pid
on client ip address add 10.8.0.77/32 dev lo

before=$(metric 'qdt_packets_total{direction="up"}')
watch server qdt0 'src host 10.8.0.77'
check "from the lease, packets pass" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
try client ping -I 10.8.0.77 -c 3 -i 0.2 -W 1 10.8.0.1
[ "$status" -ne 0 ] || fail "a ping came back"
check_contains "from another address, none does, and its host is told" "$output" 'Packet filtered'
on client ping -I 10.8.0.77 -c 3 -i 0.2 -W 1 "$(lease client2)" >/dev/null && fail "a ping came back"
end_watch "$(lease client)"
check_equal "from another address, none reaches the server's host" "$packets" ""

spoofed=(spoofed-world spoofed-client spoofed-gateway spoofed-ipv6)
watch server qdt0 'udp port 9 or ip6'
for kind in "${spoofed[@]}"; do
  before=$(metric 'qdt_drops_total{reason="spoofed_source"}')
  check_contains "a session that sends 50 $kind lives on" "$(probe client --send "$kind:50")" pong
  check_equal "they are dropped and counted" \
    "$(metric 'qdt_drops_total{reason="spoofed_source"}')" $((before + 50))
done
end_watch "$(lease client)"
check_equal "none reaches the server's host" "$packets" ""

# The same over IPv6.
stop "$client2_pid"
stop "$server_pid"
start_server 'pool_cidr6: fd00:8::/64'
start_client client2 'route_mode: cidr'
on client2 ip address add fd00:8::77/128 dev lo
watch server qdt0 'ip6 and not dst net ff00::/8'
check "from the IPv6 lease, packets pass" -- on client2 ping -c 2 -i 0.2 -W 2 fd00:8::1
try client2 ping -I fd00:8::77 -c 3 -i 0.2 -W 1 fd00:8::1
[ "$status" -ne 0 ] || fail "a ping came back"
check "from another, none does, and its host is told" -- grep -qE 'Unknown code 5|ingress/egress' <<<"$output"
spoofed() { metric 'qdt_drops_total{reason="spoofed_source"}'; }
for kind in spoofed-ipv6 spoofed-client6 spoofed-gateway6; do
  before=$(spoofed)
  check_contains "a session that sends 50 $kind lives on" "$(probe client --send "$kind:50")" pong
  check_equal "they are dropped and counted" "$(spoofed)" $((before + 50))
done
check_contains "addresses of IPv4 in IPv6 are none" "$(probe client --send mapped-ipv6:50)" pong
check_equal "they are dropped as malformed" "$(metric 'qdt_drops_total{reason="malformed"}')" 50
end_watch "$(lease client)"
check_equal "none but the lease's reaches the server's host" \
  "$(grep -vF "$(lease6 client2)" <<<"$packets" || true)" ""
