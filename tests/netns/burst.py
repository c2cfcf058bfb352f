#!/usr/bin/env python3
"""Packets of 1200 bytes that wait for clients. burst.py fill COUNT ADDRESS...: so many for each. burst.py
send ADDRESS COUNT: so many at once. burst.py receive COUNT: says that it is ready, receives until all have
come (or none for 2 s), and tells how many did."""

import socket
import sys
import time

PORT = 5001
flow = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == "fill":
    for _ in range(int(sys.argv[2]) // 64):
        for address in sys.argv[3:]:
            for _ in range(64):
                flow.sendto(bytes(1200), (address, PORT))
            time.sleep(0.001)  # the TUN device has a queue of its own
elif sys.argv[1] == "send":
    flow.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 2)  # marked where it stands, not dropped
    for _ in range(int(sys.argv[3])):
        flow.sendto(bytes(1200), (sys.argv[2], PORT))
else:
    flow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    flow.bind(("", PORT))
    print("ready", flush=True)
    received = 0
    flow.settimeout(20)
    try:
        while received < int(sys.argv[2]):
            flow.recv(2000)
            flow.settimeout(2)
            received += 1
    except TimeoutError:
        pass
    print(f"{received} received", flush=True)
