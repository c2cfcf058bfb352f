#!/usr/bin/env bash
# A watcher of a session in use sees one connection ID in each direction, whichever plane carries it,
# another in both after the client has moved, and no payload of no connection.
. "$(dirname "$0")/topology.sh"

topology
for end in server:wan client:eth0; do
  on "${end%:*}" ethtool -K "${end#*:}" tx-udp-segmentation off gso off >/dev/null
done
# list NAME: $work/NAME.payloads has a line for each payload captured, in order: ADDRESS:PORT of the client,
# up or down, long or short, and the bytes behind the first.
list() {
  tshark -r "$work/$1.pcap" -T fields -e ip.src -e udp.srcport -e ip.dst -e udp.dstport -e udp.payload 2>/dev/null |
    awk '{ up = $4 == 443; form = index("89abcdef", substr($5, 1, 1)) ? "long" : "short"
           print (up ? $1 ":" $2 : $3 ":" $4), (up ? "up" : "down"), form, substr($5, 3) }' >"$work/$1.payloads"
}
payloads() { cat "$work/$1.payloads"; }
# ids NAME FLOW DIRECTION: the connection IDs of short headers, one line for each run of the same.
ids() { payloads "$1" | awk -v flow="$2" -v way="$3" '$1 == flow && $2 == way && $3 == "short" { print substr($4, 1, 16) }' | uniq; }
flows() { payloads "$1" | awk '{ print $1 }' | awk '!seen[$0]++'; }

start_server
# A server that does not answer: every payload of the client's is an Initial packet of one connection.
on router nft add table ip silent
on router nft add chain ip silent drops '{ type filter hook forward priority 0; }'
on router nft add rule ip silent drops udp dport 443 drop
capture router cl1 silent udp port 443
try_client client 'timeout: 4s'
check_equal "the client says that nobody answers: status 3" "$status" 3
end_capture
list silent
check "it has tried" -- test "$(payloads silent | wc -l)" -ge 3
check_equal "with nothing but long headers" "$(payloads silent | grep -vc ' up long ' || true)" 0
check_equal "of Initial packets" "$(tshark -r "$work/silent.pcap" -Y '!(quic.long.packet_type == 0)' 2>/dev/null | wc -l)" 0
check_equal "of one connection" "$(payloads silent | awk '{ print substr($4, 1, 46) }' | sort -u | wc -l)" 1
on router nft delete table ip silent

capture router cl1 used udp port 443
start_client client 'route_mode: cidr' 'keepalive: 1s'
is_direct() { [ "$(metric qdt_direct_sessions)" = 1 ]; }
check "the session takes the direct plane" -- wait_for 5 is_direct
use() {
  on client ping -n -q -c 30 -i 0.05 -W 1 10.8.0.1 >/dev/null
  sleep 2.2  # some keep-alives of QUIC
  on client ping -n -q -c 10 -i 0.05 -W 1 10.8.0.1 >/dev/null
}
use
on client ip -4 address flush dev eth0
on client ip address add 198.51.100.3/24 dev eth0
on client ip route add default via 198.51.100.1
wait_for 5 grep -q 'the session goes on from' "$work/client.log" || fail "the client does not move"
use
end_capture
list used
stop "$client_pid"

mapfile -t used < <(flows used)
check_equal "the client had two addresses" "${#used[@]}" 2
for flow in "${used[@]}"; do
  for way in up down; do
    check_equal "one connection ID of $flow, $way, at any time" "$(ids used "$flow" "$way" | wc -l)" 1
  done
done
for way in up down; do
  check "another after the move, $way" -- test "$(ids used "${used[0]}" "$way")" != "$(ids used "${used[1]}" "$way")"
done
