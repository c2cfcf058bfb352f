#!/usr/bin/env python3
"""racer.py NEAR INTERFACE FAR SERVER [relay]: copies the UDP payloads to SERVER's port 443 that pass INTERFACE in the
namespace NEAR, and sends them from the namespace FAR, from an address of its own, before they are there. With relay it
hands what it gets in return to the client as well, in the server's name. Prints how many bytes came to it, each second."""

import ctypes
import os
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4


def enter(namespace):
    with open(f"/run/netns/{namespace}") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0) != 0:
            sys.exit(f"setns: {os.strerror(ctypes.get_errno())}")


def checksum(header):
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(ethernet, source, destination, payload):
    """A UDP packet in an Ethernet frame; addresses are pairs of four bytes and a port."""
    udp = struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source[0], destination[0])
    return ethernet + ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + udp


near, interface, far, server = sys.argv[1:5]
relays = sys.argv[5:] == ["relay"]
server_bytes = socket.inet_aton(server)
enter(near)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
wire.bind((interface, 0))
enter(far)
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.connect((server, 443))
client = None  # its Ethernet header, address and port
got = 0
told = time.time()
print("copies", flush=True)
while True:
    ready, _, _ = select.select([wire, own], [], [], 1)
    if wire in ready:
        data, origin = wire.recvfrom(65535)
        is_ours = origin[2] != PACKET_OUTGOING and data[12:14] == b"\x08\x00" and data[23] == 17
        if is_ours and data[30:34] == server_bytes and data[36:38] == struct.pack(">H", 443):
            client = (data[6:12] + data[0:6] + data[12:14], (data[26:30], struct.unpack(">H", data[34:36])[0]))
            length = struct.unpack(">H", data[38:40])[0]
            try:
                own.send(data[42 : 34 + length])
            except OSError:
                pass
    if own in ready:
        try:
            payload = own.recv(65535)
        except OSError:
            continue
        got += len(payload)
        if relays and client:
            wire.send(frame(client[0], (server_bytes, 443), client[1], payload))
    if time.time() - told >= 1:
        told = time.time()
        print("got", got, flush=True)
