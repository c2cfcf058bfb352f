#!/usr/bin/env bash
# Another implementation's client sends a ClientHello that spans two Initial packets.
. "$(dirname "$0")/go_peer.sh"

# The CRYPTO frames' offsets of each of the client's first packets; once, if it is sent again.
first_packets() {
  tshark -n -r "$work/hello.pcap" -d udp.port==443,quic -T fields -e quic.crypto.offset \
    -Y 'udp.dstport == 443 && quic.long.packet_type == 0 && quic.crypto.offset' \
    2>"$work/tshark.log" | sort -u
}

topology
start_server
run client tcpdump tcpdump -U --immediate-mode -ni eth0 -w "$work/hello.pcap" udp port 443
tcpdump_pid=$pid
wait_for 10 grep -q 'listening on' "$work/tcpdump.log" || fail "tcpdump does not start"
start_go_client
stop "$tcpdump_pid"

offsets=$(first_packets)
check "the ClientHello comes in two packets: $(echo "$offsets" | tr '\n' ' ')" -- \
  test "$(echo "$offsets" | grep -c .)" -ge 2
check_pings client 10.8.0.1
check_server_dropped_nothing
