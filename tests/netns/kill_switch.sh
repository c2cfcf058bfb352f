#!/usr/bin/env bash
# kill_switch: nothing leaves the client but through the tunnel, whatever happens to client and
# server; an orderly stop and --cleanup let go of it, and nothing else does.
. "$(dirname "$0")/topology.sh"

topology
ip -n "$(ns client)" address add 192.168.77.2/24 dev eth0
ip -n "$(ns router)" address add 192.168.77.1/24 dev cl1
mac=$(on client cat /sys/class/net/eth0/address)
table=qdt_qdt0/kill
remember client
run web web python3 -um http.server --bind :: 8000

# The client's packets at the router, but for the tunnel's own packets, ARP, and what keeps a link:
# neighbour discovery, and listener reports, whose ICMPv6 is behind another header (RFC 3810 section 5).
watch_client() {
  watch router cl1 "ether src $mac and not arp and not (ip6 and icmp6 and ip6[40] >= 130 and
    ip6[40] <= 143) and not ip6 dst host ff02::16 and not (udp and dst host $server_address and dst port 443)"
}
check_sealed() {
  end_watch 198.51.100.2
  check_equal "$1" "$packets" ""
}

# probe_world SECONDS: by IPv4, IPv6 and DNS, as a user and with a source address of choice.
probe_world() { (set +e; try_for "$1") >"$work/probes.log" 2>&1 || true; }
try_for() {
  local end=$((SECONDS + $1)) address
  while [ "$SECONDS" -lt "$end" ]; do
    for address in "$web_address" "$web_address6" 198.51.100.1 2001:db8:1::1 192.168.77.1; do
      on client ping -c 1 -W 0.2 "$address"
      on client bash -c "echo x >/dev/udp/$address/5000; echo x >/dev/udp/$address/53"
      on client timeout 0.2 bash -c "echo x >/dev/tcp/$address/53"
      on client timeout 0.2 bash -c "echo x >/dev/tcp/$address/443"
    done
    on client ping -c 1 -W 0.2 -I 192.168.77.2 "$web_address"
    on client timeout 0.5 getent ahosts "name$SECONDS.example.test"
  done
}
has_table() { on client nft list table inet "$table"; }

say "--- before the first connection"
echo "nameserver 203.0.113.1" >"$(etc client resolv.conf)"
watch_client
probe_world 1
end_watch 198.51.100.2
check_contains "the probes do reach the world without it" "$packets" "$web_address"
check_contains "over IPv6, too" "$packets" "$web_address6"
check_contains "and so do questions for names" "$packets" "203.0.113.1.53"
remember client

run_client client 'kill_switch: true'
wait_for 10 has_table || fail "there is no kill switch"
watch_client
probe_world 2
check_sealed "not one packet leaves while the server is not there"
stop "$client_pid"
check_unchanged "an orderly stop lets go of it" client

say "--- kill -9 of the client"
start_server 'dns: [192.0.2.80]'
start_client client 'kill_switch: true'
check "the tunnel carries" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
watch_client
stop "$client_pid" KILL
probe_world 10
check_sealed "not one packet leaves after kill -9, in 10 s of trying"

watch_client
start_client client 'route_mode: none' 'tun_name: other0'
check_contains "another program's start tells of it" "$(cat "$work/client.log")" "--cleanup lets go"
probe_world 1
stop "$client_pid"
check_sealed "and does not let go of it"

watch_client
start_client client 'kill_switch: true'
probe_world 1
check_sealed "the next start takes it over without a gap"
check_contains "and says so" "$(cat "$work/client.log")" "as it was left"
check "the tunnel carries again" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"

say "--- others"
on client nft delete table inet "$table"
wait_for 10 has_table || fail "the kill switch is not raised again"
say "ok: a table that somebody deletes is made again"
watch_client
stop "$server_pid" KILL
probe_world 4
check_sealed "not one packet leaves after kill -9 of the server"
stop "$client_pid" KILL

try client "$build/qdt-client" --cleanup
check_equal "--cleanup succeeds" "$status" 0
check_contains "and says that it let go" "$output" "nftables table inet $table deleted"
check_unchanged "the host is as it was" client

start_server 'dns: []'
start_client client 'kill_switch: true' 'kill_switch_lan: true'
check "with kill_switch_lan the LAN is there" -- on client ping -c 2 -i 0.2 -W 1 192.168.77.1
watch_client
on client ping -c 1 -W 0.2 -I 192.168.77.2 "$web_address" >/dev/null || true
on client ping -c 1 -W 0.2 198.51.100.1 >/dev/null || true
check_sealed "and nobody else"
stop "$client_pid"
check_unchanged "the host is as it was in the end" client
