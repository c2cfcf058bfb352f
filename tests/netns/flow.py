#!/usr/bin/env python3
"""One flow of numbered packets.
flow.py send ADDRESS PORT COUNT: sends them, a few at a time. flow.py receive PORT: says that it is
ready, receives until the last (or for 10 s), and tells how many came before one with a lower number."""

import socket
import sys
import time

flow = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == "send":
    address, port, count = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    for number in range(count):
        flow.sendto(b"%08d" % number + bytes(200), (address, port))
        if number % 20 == 19:
            time.sleep(0.005)
    for _ in range(5):  # of which one arrives
        time.sleep(0.05)
        flow.sendto(b"%08d" % count, (address, port))
else:
    flow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    flow.bind(("", int(sys.argv[2])))
    flow.settimeout(10)
    print("ready", flush=True)
    received, overtaken, latest = 0, 0, -1
    while True:
        packet = flow.recv(2000)
        if len(packet) == 8:
            break
        number = int(packet[:8])
        received += 1
        overtaken += number < latest
        latest = max(latest, number)
    print(f"{received} received, {overtaken} overtaken")
