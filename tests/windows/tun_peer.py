#!/usr/bin/env python3
"""tun_peer.py DEVICE PORT: the other end of the stand-in wintun.dll.

Joins UDP port PORT of 127.0.0.1 to a TUN device of this network namespace. Each datagram is one
byte and a piece of a packet: 1 when more of it follows, 0 when this was all.
"""

import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
MAX_PIECE_BYTES = 60000
BATCH = 64


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


def send(udp, packet, to):
    while len(packet) > MAX_PIECE_BYTES:
        udp.sendto(b"\1" + packet[:MAX_PIECE_BYTES], to)
        packet = packet[MAX_PIECE_BYTES:]
    udp.sendto(b"\0" + packet, to)


def main():
    tun = open_tun(sys.argv[1])
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 7 << 20)
    udp.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 7 << 20)
    udp.bind(("127.0.0.1", int(sys.argv[2])))
    peer, packet, largest = None, b"", 0
    while True:
        ready, _, _ = select.select([tun, udp], [], [])
        for _ in range(BATCH if udp in ready else 0):
            try:
                piece, peer = udp.recvfrom(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            packet += piece[1:]
            if piece[0] == 1:
                continue
            if len(packet) > largest:
                largest = len(packet)
                print("largest packet:", largest, flush=True)
            try:
                if packet:
                    os.write(tun, packet)
            except OSError as error:  # the device is down, or it is no packet
                print("refused", len(packet), error, flush=True)
            packet = b""
        for _ in range(BATCH if tun in ready else 0):
            try:
                outgoing = os.read(tun, 65536)
            except (BlockingIOError, OSError):
                break
            if peer:
                send(udp, outgoing, peer)


main()
