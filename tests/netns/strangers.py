#!/usr/bin/env python3
"""strangers.py KIND ADDRESS PORT COUNT: so many clients without a token, which make a server hold as
much as it will; then they say "holding", and nothing more for a minute. Kinds:
  gaps     a byte at the end of each stream's window, and behind a gap of the handshake's
  overruns a byte behind each gap of 8 KiB, in streams and behind the handshake
  halves   handshakes that are never finished, with gaps in what is to come
  bodies   requests that are answered, and bodies that go on
  streams  as many requests as there may be, each with a byte of its headers
  chatter  one that asks, pings and is answered all the time; tells how long it was heard"""

import sys
import time

from quic_client import HANDSHAKE, PING, Stranger

kind, address, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
held = []


def come(finishes=True):
    stranger = Stranger((address, port))
    if not stranger.connect(finishes=finishes):
        sys.exit("no handshake")
    held.append(stranger)
    return stranger


def send_all(stranger, frames, level=2):
    packet = b""
    for frame in frames:
        if len(packet) + len(frame) > 1100:
            stranger.send(packet, level)
            packet = b""
        packet += frame
    stranger.send(packet, level)
    stranger.receive()
    stranger.acknowledge()


def gaps(stranger):
    for stream, window in ((0, 8192), (2, 1024), (6, 1024), (10, 1024)):
        send_all(stranger, [stranger.stream(stream, window - 1, b"x")])


def overruns(stranger):
    offsets = range(8191, 65536, 8192)
    send_all(stranger, [stranger.crypto_frame(offset, b"x") for offset in offsets])
    for stream in (0, 4, 8, 12):
        send_all(stranger, [stranger.stream(stream, offset, b"x") for offset in offsets])


def halves(stranger):
    send_all(
        stranger, [stranger.crypto_frame(offset, b"x") for offset in range(8191, 65536, 8192)], HANDSHAKE
    )


def bodies(stranger):
    stranger.settings()
    head = stranger.request(b"GET", b"/") + b"\x00" + b"\x80\x01\x00\x00"
    for stream in range(0, 64, 4):
        stranger.send(stranger.stream(stream, 0, head))
        stranger.receive(0.005)
        for offset in range(len(head), 60000, 1000):
            stranger.send(stranger.stream(stream, offset, bytes(1000)))
        stranger.receive()
        stranger.acknowledge()


def streams(stranger):
    stranger.settings()
    send_all(stranger, [stranger.stream(stream, 0, b"\x01") for stream in range(0, 400, 4)])
    for packet in range(20):  # a stream that is there, byte by byte, from its end
        send_all(stranger, [stranger.stream(0, 8000 - 50 * packet - 2 * i, b"x") for i in range(25)])


def chatter(stranger):
    stranger.settings()
    begun = time.monotonic()
    stream = 0
    while not stranger.is_closed and time.monotonic() - begun < 20:
        # Once more while there may be no other.
        stranger.send(PING + stranger.stream(stream, 0, stranger.request(b"GET", b"/"), ends=True))
        stranger.receive(0.2)
        stranger.acknowledge()
        if stranger.max_requests > stream // 4 + 1:
            stream += 4
    print(f"heard for {time.monotonic() - begun:.1f} s, {stream // 4} answers", flush=True)


for _ in range(count):
    globals()[kind](come(finishes=kind != "halves"))
print(f"holding: {sum(s.sent_bytes for s in held)} bytes sent, {sum(s.is_closed for s in held)} closed", flush=True)
time.sleep(60)
