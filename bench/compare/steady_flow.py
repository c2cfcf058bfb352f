#!/usr/bin/env python3
"""A flow like a call's: small packets at an even rate, each with the time when it left.
steady_flow.py send ADDRESS PORT COUNT PER_SECOND
steady_flow.py receive PORT COUNT: says that it is ready, and at the end tells in JSON how many came
and their one-way delays in seconds, in order of their length. Both ends read the same machine's clock."""

import json
import socket
import struct
import sys
import time

PAYLOAD_BYTES = 160
STAMP = struct.Struct("!Iq")


def send(address, port, count, per_second):
    flow = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0, begun + number / per_second - time.monotonic()))
        stamp = STAMP.pack(number, time.monotonic_ns())
        flow.sendto(stamp.ljust(PAYLOAD_BYTES, b"\0"), (address, port))


def receive(port, count):
    flow = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    flow.bind(("", port))
    flow.settimeout(10)  # until the first
    print("ready", flush=True)
    delays = {}
    try:
        while len(delays) < count:
            number, sent = STAMP.unpack_from(flow.recv(2000))
            delays[number] = (time.monotonic_ns() - sent) / 1e9
            flow.settimeout(3)
    except socket.timeout:
        pass
    print(json.dumps({"sent": count, "received": len(delays), "delays": sorted(delays.values())}))


if sys.argv[1] == "send":
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
else:
    receive(int(sys.argv[2]), int(sys.argv[3]))
