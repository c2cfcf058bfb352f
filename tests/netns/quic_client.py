"""A QUIC client that sends any frame it likes (RFC 9000, 9001; TLS 1.3 with X25519 and
AES-128-GCM): what no client of the project's own make would send. For the tests of strangers."""

import hashlib
import hmac
import os
import select
import socket
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

INITIAL_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
INITIAL, HANDSHAKE, ONE_RTT = range(3)
CRYPTO, STREAM, PING, PADDING = b"\x06", b"\x0e", b"\x01", b"\x00"
EMPTY_HASH = hashlib.sha256(b"").digest()


def varint(number):
    for index, bits in enumerate((6, 14, 30, 62)):
        if number < 1 << bits:
            return (index << bits | number).to_bytes((bits + 2) // 8, "big")
    raise ValueError(number)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def varint(self):
        size = 1 << (self.data[self.at] >> 6)
        return self.number(size) & (1 << (8 * size - 2)) - 1

    def is_over(self):
        return self.at >= len(self.data)


def extract(salt, secret):
    return hmac.new(salt, secret, hashlib.sha256).digest()


def expand_label(secret, label, context=b"", size=32):
    label = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
    return hmac.new(secret, info + b"\x01", hashlib.sha256).digest()[:size]


class Keys:
    """Of one direction at one level."""

    def __init__(self, secret):
        self.aead = AESGCM(expand_label(secret, b"quic key", size=16))
        self.iv = int.from_bytes(expand_label(secret, b"quic iv", size=12), "big")
        self.header = Cipher(algorithms.AES(expand_label(secret, b"quic hp", size=16)), modes.ECB())

    def nonce(self, number):
        return (self.iv ^ number).to_bytes(12, "big")

    def mask(self, sample):
        return self.header.encryptor().update(bytes(sample))

    def seal(self, header, number, payload):
        """`header` ends with the packet number, four bytes long."""
        packet = bytearray(header + self.aead.encrypt(self.nonce(number), payload, header))
        mask = self.mask(packet[len(header) : len(header) + 16])
        packet[0] ^= mask[0] & (0x0F if packet[0] & 0x80 else 0x1F)
        for i in range(4):
            packet[len(header) - 4 + i] ^= mask[1 + i]
        return bytes(packet)

    def open(self, packet, number_at):
        packet = bytearray(packet)
        mask = self.mask(packet[number_at + 4 : number_at + 20])
        packet[0] ^= mask[0] & (0x0F if packet[0] & 0x80 else 0x1F)
        size = (packet[0] & 3) + 1
        for i in range(size):
            packet[number_at + i] ^= mask[1 + i]
        # A server that is young enough has sent fewer packets than its numbers have values.
        number = int.from_bytes(packet[number_at : number_at + size], "big")
        end = number_at + size
        return number, self.aead.decrypt(self.nonce(number), bytes(packet[end:]), bytes(packet[:end]))


class Stranger:
    def __init__(self, server):
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.server, self.sent_bytes = server, 0
        self.own_id, self.peer_id, self.token = os.urandom(8), os.urandom(8), b""
        self.numbers = [0, 0, 0]
        self.received = [set(), set(), set()]
        self.crypto = [{}, {}, {}]
        self.messages_at = [0, 0, 0]
        self.send_keys, self.receive_keys = [None] * 3, [None] * 3
        self.is_done = self.is_closed = False
        self.streams, self.max_requests = {}, 1
        self.key = X25519PrivateKey.generate()
        self.hello = self.client_hello()
        self.transcript = self.hello
        self.use_initial_keys()

    def use_initial_keys(self):
        secret = extract(INITIAL_SALT, self.peer_id)
        self.send_keys[INITIAL] = Keys(expand_label(secret, b"client in"))
        self.receive_keys[INITIAL] = Keys(expand_label(secret, b"server in"))

    def client_hello(self):
        def sized(size, data):
            return len(data).to_bytes(size, "big") + data

        def extension(kind, data):
            return kind.to_bytes(2, "big") + sized(2, data)

        public = self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        parameters = {1: varint(60000), 4: varint(1 << 20), 5: varint(1 << 18), 6: varint(1 << 18)}
        parameters |= {7: varint(1 << 18), 8: varint(16), 9: varint(16), 0x20: varint(65535), 0x0F: self.own_id}
        encoded = b"".join(varint(k) + varint(len(v)) + v for k, v in parameters.items())
        extensions = (
            extension(10, sized(2, b"\x00\x1d"))
            + extension(13, sized(2, bytes.fromhex("040308040805080604010501")))
            + extension(16, sized(2, sized(1, b"h3")))
            + extension(43, b"\x02\x03\x04")
            + extension(45, b"\x01\x01")
            + extension(51, sized(2, b"\x00\x1d" + sized(2, public)))
            + extension(57, encoded)
        )
        body = b"\x03\x03" + os.urandom(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00" + sized(2, extensions)
        return b"\x01" + sized(3, body)

    # --- out ---

    def packet(self, level, payload):
        number, self.numbers[level] = self.numbers[level], self.numbers[level] + 1
        payload += PADDING * max(0, 4 - len(payload))
        if level == ONE_RTT:
            header = b"\x43" + self.peer_id
        else:
            kind = 0 if level == INITIAL else 2
            header = bytes([0xC3 | kind << 4]) + b"\x00\x00\x00\x01"
            for identifier in (self.peer_id, self.own_id):
                header += bytes([len(identifier)]) + identifier
            if level == INITIAL:
                header += varint(len(self.token)) + self.token
                payload += PADDING * max(0, 1200 - len(header) - 2 - 4 - 16 - len(payload))
            header += (0x4000 | 4 + len(payload) + 16).to_bytes(2, "big")
        return self.send_keys[level].seal(header + number.to_bytes(4, "big"), number, payload)

    def send(self, frames, level=ONE_RTT):
        payload = self.packet(level, frames)
        self.sent_bytes += len(payload)
        try:
            self.socket.sendto(payload, self.server)
        except ConnectionRefusedError:
            pass

    def stream(self, stream, offset, data, ends=False):
        return bytes([STREAM[0] | ends]) + varint(stream) + varint(offset) + varint(len(data)) + data

    def crypto_frame(self, offset, data):
        return CRYPTO + varint(offset) + varint(len(data)) + data

    def acknowledge(self, level=ONE_RTT):
        if self.received[level]:
            self.send(self.ack_frame(level), level)

    def ack_frame(self, level):
        """The latest run of packet numbers without a gap."""
        last = first = max(self.received[level])
        while first - 1 in self.received[level]:
            first -= 1
        return b"\x02" + varint(last) + varint(0) + varint(0) + varint(last - first)

    # --- in ---

    def receive(self, seconds=0.0):
        """What has arrived, and what does within so many seconds."""
        end = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            try:
                self.take(self.socket.recv(65535))
            except ConnectionRefusedError:
                pass

    def take(self, payload):
        while payload:
            if not payload[0] & 0x80:
                return self.take_packet(ONE_RTT, payload, 9)
            reader = Reader(payload)
            reader.take(5)
            reader.take(reader.number(1))
            peer_id = reader.take(reader.number(1))
            kind = payload[0] >> 4 & 3
            if kind == 3:
                self.token, self.peer_id = payload[reader.at : -16], peer_id
                self.use_initial_keys()
                return self.send(self.crypto_frame(0, self.hello), INITIAL)
            if kind == 0:
                self.peer_id = peer_id
                reader.take(reader.varint())
            size = reader.varint()
            end = reader.at + size
            self.take_packet(INITIAL if kind == 0 else HANDSHAKE, payload[:end], reader.at)
            payload = payload[end:]

    def take_packet(self, level, packet, number_at):
        if self.receive_keys[level] is None:
            return
        try:
            number, payload = self.receive_keys[level].open(packet, number_at)
        except Exception:  # not ours, or a stateless reset
            return
        reader = Reader(payload)
        while not reader.is_over():
            self.take_frame(level, reader)
        self.received[level].add(number)

    def take_frame(self, level, reader):
        kind = reader.varint()
        if kind in (2, 3):
            reader.varint(), reader.varint()
            ranges = reader.varint()
            for _ in range(1 + 2 * ranges + (3 if kind == 3 else 0)):
                reader.varint()
        elif kind == 6:
            offset, size = reader.varint(), reader.varint()
            self.crypto[level][offset] = reader.take(size)
            self.take_messages(level)
        elif kind == 7:
            reader.take(reader.varint())
        elif 8 <= kind <= 15:
            stream = reader.varint()
            offset = reader.varint() if kind & 4 else 0
            size = reader.varint() if kind & 2 else len(reader.data) - reader.at
            self.streams.setdefault(stream, {})[offset] = reader.take(size)
        elif kind == 0x12:
            self.max_requests = reader.varint()
        elif kind == 0x18:
            reader.varint(), reader.varint()
            reader.take(reader.number(1) + 16)
        elif kind in (0x1A, 0x1B):
            reader.take(8)
        elif kind in (0x1C, 0x1D):
            self.is_closed = True
            reader.at = len(reader.data)
        elif kind not in (0, 1, 0x1E):
            for _ in range({4: 3, 5: 2, 0x11: 2, 0x15: 2}.get(kind, 1)):
                reader.varint()

    def take_messages(self, level):
        data, at = b"", 0
        while at in self.crypto[level]:
            data += self.crypto[level][at]
            at = len(data)
        data = data[self.messages_at[level] :]
        while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[1:4], "big"):
            size = 4 + int.from_bytes(data[1:4], "big")
            self.messages_at[level] += size
            self.take_message(level, data[:size])
            data = data[size:]

    def take_message(self, level, message):
        if level == INITIAL and message[0] == 2:
            self.transcript += message
            self.take_server_hello(message)
        elif level == HANDSHAKE:
            self.transcript += message
            if message[0] == 20:
                self.take_finished()

    def take_server_hello(self, message):
        reader = Reader(message)
        reader.take(4 + 2 + 32)
        reader.take(reader.number(1))
        reader.take(3 + 2)
        share = b""
        while not reader.is_over():
            kind, data = reader.number(2), reader.take(reader.number(2))
            if kind == 51:
                share = data[4:]
        shared = self.key.exchange(X25519PublicKey.from_public_bytes(share))
        early = extract(bytes(32), bytes(32))
        self.handshake_secret = extract(expand_label(early, b"derived", EMPTY_HASH), shared)
        seen = hashlib.sha256(self.transcript).digest()
        self.client_secret = expand_label(self.handshake_secret, b"c hs traffic", seen)
        self.send_keys[HANDSHAKE] = Keys(self.client_secret)
        self.receive_keys[HANDSHAKE] = Keys(expand_label(self.handshake_secret, b"s hs traffic", seen))

    def take_finished(self):
        seen = hashlib.sha256(self.transcript).digest()
        master = extract(expand_label(self.handshake_secret, b"derived", EMPTY_HASH), bytes(32))
        self.send_keys[ONE_RTT] = Keys(expand_label(master, b"c ap traffic", seen))
        self.receive_keys[ONE_RTT] = Keys(expand_label(master, b"s ap traffic", seen))
        proof = hmac.new(expand_label(self.client_secret, b"finished"), seen, hashlib.sha256).digest()
        self.finished = b"\x14" + len(proof).to_bytes(3, "big") + proof
        self.is_done = True

    # --- a whole handshake, and requests ---

    def connect(self, seconds=3.0, finishes=True):
        """False when the server does not answer. Without `finishes` its handshake stays open."""
        end = time.monotonic() + seconds
        while not self.is_done and not self.is_closed and time.monotonic() < end:
            self.send(self.crypto_frame(0, self.hello), INITIAL)
            again = time.monotonic() + 0.5
            while not self.is_done and not self.is_closed and time.monotonic() < again:
                self.receive(0.01)
        if not self.is_done:
            return False
        if finishes:
            self.send(self.ack_frame(INITIAL), INITIAL)
            self.send(self.ack_frame(HANDSHAKE) + self.crypto_frame(0, self.finished), HANDSHAKE)
            self.receive(0.01)
        return True

    def settings(self):
        self.send(self.stream(2, 0, b"\x00\x04\x02\x33\x01"))

    def request(self, method, path):
        """An HTTP/3 HEADERS frame, all of it literal."""
        fields = ((b":method", method), (b":scheme", b"https"), (b":authority", b"test"), (b":path", path))
        block = b"\x00\x00"
        for name, value in fields:
            block += b"\x27" + bytes([len(name) - 7]) if len(name) >= 7 else bytes([0x20 | len(name)])
            block += name + bytes([len(value)]) + value
        return b"\x01" + varint(len(block)) + block
