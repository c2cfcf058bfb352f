#!/usr/bin/env python3
"""Prints tests/direct_vectors.json, from docs/protocol-v1.md section 7 and pyca/cryptography alone."""

import hashlib
import hmac
import json

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

TOKEN = "correct-horse-battery-staple"
EXPORTER = bytes(range(0x40, 0x60))
CLIENT_NONCE = bytes(range(16))
SERVER_NONCE = bytes(range(0xF0, 0x100))
AEADS = {"aes-256-gcm": AESGCM, "chacha20-poly1305": ChaCha20Poly1305}


def expand(secret, info, size):
    out, block = b"", b""
    for i in range(1, -(-size // 32) + 1):
        block = hmac.digest(secret, block + info.encode() + bytes([i]), hashlib.sha256)
        out += block
    return out[:size]


def phase(secret, updates):
    for _ in range(updates):
        secret = expand(secret, "qdt-direct-v1 ku", 32)
    return {"secret": secret, "key": expand(secret, "qdt-direct-v1 key", 32), "iv": expand(secret, "qdt-direct-v1 iv", 12)}


def seal(aead, first_secret, updates, connection_id, counter, payload):
    keys = phase(first_secret, updates)
    header = bytes([0x43 | (updates % 2) << 2]) + connection_id + (counter % 2**32).to_bytes(4, "big")
    nonce = (int.from_bytes(keys["iv"], "big") ^ counter).to_bytes(12, "big")
    sealed = AEADS[aead](keys["key"]).encrypt(nonce, payload, header)
    block = Cipher(algorithms.AES(expand(first_secret, "qdt-direct-v1 hp", 16)), modes.ECB()).encryptor()
    mask = block.update(sealed[:16])[:5]
    hidden = bytes(a ^ b for a, b in zip(header[9:], mask[1:]))
    return bytes([header[0] ^ mask[0] & 0x1F]) + header[1:9] + hidden + sealed


def hexed(prefix, values):
    return {f"{prefix}{name}_hex": value.hex() for name, value in values.items()}


prk = hmac.digest(CLIENT_NONCE + SERVER_NONCE, EXPORTER + TOKEN.encode(), hashlib.sha256)
secrets = {side: expand(prk, f"qdt-direct-v1 {side}", 32) for side in ("client", "server")}
keys = {"token": TOKEN, "exporter_hex": EXPORTER.hex()}
keys |= hexed("", {"client_nonce": CLIENT_NONCE, "server_nonce": SERVER_NONCE})
for side, first in secrets.items():
    keys |= hexed(f"{side}_header_", {"key": expand(first, "qdt-direct-v1 hp", 16)})
    for updates in range(3):
        keys |= hexed(f"{side}_{updates}_", phase(first, updates))

# An IPv4 packet: UDP, 192.0.2.1 to 192.0.2.2, 4 bytes.
packet = bytes.fromhex("450000200001000040110000c0000201c0000202") + bytes.fromhex("04d2162e000c000074657374")
payloads = [packet, b"\x03abcdefgh" + packet + bytes(7), b""]
packets = []
for aead in AEADS:
    for side, first in secrets.items():
        for updates, counter in ((0, 0), (1, 0x12345), (2, 0x123456789)):
            connection_id = bytes(range(0xC0 + updates, 0xC8 + updates))
            payload = payloads[updates]
            packets.append({"aead": aead, "direction": side, "updates": updates, "counter": counter,
                            "id_hex": connection_id.hex(), "payload_hex": payload.hex(),
                            "packet_hex": seal(aead, first, updates, connection_id, counter, payload).hex()})
print(json.dumps({"keys": keys, "packets": packets}, indent=1))
