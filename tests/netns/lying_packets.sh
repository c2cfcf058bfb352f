#!/usr/bin/env bash
# Packets at the TUN device whose offload fields lie, as a faulty driver or program may make them:
# dropped and counted, and the tunnel goes on.
. "$(dirname "$0")/topology.sh"

topology
start_server
start_client
# A packet socket puts a virtio header of our choice before what it sends into the device.
cat >"$work/lie.py" <<'END'
import socket, struct, sys
SOL_PACKET, PACKET_VNET_HDR, NEEDS_CHECKSUM = 263, 15, 1
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
sock.bind(("qdt0", 0x0800))
address = socket.inet_aton
# An IP header of 60 bytes, 40 of them options (no operation); then UDP.
packet = struct.pack("!BBHHHBBH4s4s40sHHHH", 0x4f, 0, 68, 0, 0, 64, 17, 0, address("192.0.2.80"),
                     address(sys.argv[1]), 40 * b"\x01", 7, 7, 8, 0)
def send(checksum_start):
    # flags, gso_type, hdr_len, gso_size, csum_start, csum_offset
    sock.send(struct.pack("=BBHHHH", NEEDS_CHECKSUM, 0, 0, 0, checksum_start, 6) + packet)
for start in (20, 24, 40, 59):  # the "transport header" begins within the options
    send(start)
send(60)
END
malformed() { metric 'qdt_drops_total{reason="malformed"}'; }
down() { metric 'qdt_packets_total{direction="down"}'; }
before=$(down)
on server python3 "$work/lie.py" "$(lease client)"
has_gone_down() { [ "$(down)" -gt "$before" ]; }
check "what is true goes down" -- wait_for 5 has_gone_down
check_equal "each lie is dropped and counted" "$(malformed)" 4
check "the tunnel goes on" -- on client ping -c 1 -W 5 10.8.0.1
