#!/usr/bin/env python3
"""Prints tests/proof_vectors.json, from docs/protocol.md and pyca/cryptography alone."""

import base64
import hashlib
import ipaddress
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT_NONCE = bytes(range(16))
SERVER_NONCE = bytes(range(0xF0, 0x100))


def varint(value):
    for bits, size in ((0, 1), (1, 2), (2, 4), (3, 8)):
        if value < 1 << (8 * size - 2):
            return (value | bits << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(value)


def prefixed(data):
    return varint(len(data)) + data


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def expanded(salt, secret, info):
    extract = HMAC(salt, SHA256())
    extract.update(secret)
    return HKDFExpand(SHA256(), 32, info).derive(extract.finalize())


def token_keys(token):
    return {name: expanded(b"qdt-v2 token", token.encode(), info) for name, info in
            (("client", b"qdt-v2 client ed25519"), ("server", b"qdt-v2 server ed25519"), ("psk", b"qdt-v2 psk"))}


def link(authority, name, servers, letter, secret):
    """A link, and the key of its ticket, where it has one."""
    parameters = [f"s={base64url(public(seed))}" for seed in servers] + [f"{letter}={base64url(secret)}"]
    known = {"link": f"qdt://{authority}#{name}?{'&'.join(parameters)}", "authority": authority, "name": name,
             "server_keys_hex": [public(seed).hex() for seed in servers], "secret_hex": secret.hex()}
    if letter == "e":
        known["ticket_seed_hex"] = expanded(b"qdt-v2 ticket", secret, b"qdt-v2 ticket ed25519").hex()
    return known


def public(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(seed, purpose, content):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(b" " * 64 + purpose + b"\0" + content)


def proof(seed, host, port, key_id=None):
    key_id = key_id or hashlib.sha256(public(seed)).digest()[:16]
    context = (0x0807).to_bytes(2, "big") + prefixed(key_id) + prefixed(public(seed)) + prefixed(b"https")
    context += prefixed(host.lower().encode()) + port.to_bytes(2, "big") + prefixed(b"")
    # Stands for what TLS' exporter makes of the context: another context, another output.
    exported = hashlib.sha384(context).digest()
    signature = sign(seed, b"HTTP Concealed Authentication", exported[:32])
    values = {"k": base64url(key_id), "a": base64url(public(seed)), "s": "2055", "v": base64url(exported[32:]),
              "p": base64url(signature)}
    header = "Concealed " + ", ".join(f"{name}={value}" for name, value in values.items())
    return {"seed_hex": seed.hex(), "public_key_hex": public(seed).hex(), "key_id_hex": key_id.hex(), "host": host,
            "port": port, "context_hex": context.hex(), "exported_hex": exported.hex(), "header": header}


def server_proof(server_seed, client_seed):
    exported = bytes(range(0x40, 0x60))
    content = exported + CLIENT_NONCE + SERVER_NONCE + public(client_seed) + public(server_seed)
    return {"server_seed_hex": server_seed.hex(), "client_key_hex": public(client_seed).hex(),
            "exported_hex": exported.hex(), "client_nonce_hex": CLIENT_NONCE.hex(),
            "server_nonce_hex": SERVER_NONCE.hex(),
            "signature_hex": sign(server_seed, b"QDT Server Proof", content).hex()}


EXPORTED = bytes(range(0x80, 0xA0))


def extract(secret):
    """The PRK of a session's keys, by its nonces."""
    prk = HMAC(CLIENT_NONCE + SERVER_NONCE, SHA256())
    prk.update(secret)
    return prk.finalize()


def sealed(psk, algorithm, aead, contents):
    """The keys of a sealed plane, and datagrams of the server's with them."""
    material = HKDFExpand(SHA256(), 72, b"qdt-v2 sealed " + algorithm.encode()).derive(extract(EXPORTED + psk))
    key, prefix = material[32:64], material[68:72]
    datagrams = []
    for counter, kind, content in contents:
        associated = b"\x06" + counter.to_bytes(8, "big")
        ciphertext = aead(key).encrypt(prefix + associated[1:], bytes([kind]) + content, associated)
        datagrams.append({"counter": counter, "type": kind, "content_hex": content.hex(),
                          "datagram_hex": (associated + ciphertext).hex()})
    return {"psk_hex": psk.hex(), "algorithm": algorithm, "exported_hex": EXPORTED.hex(),
            "client_nonce_hex": CLIENT_NONCE.hex(), "server_nonce_hex": SERVER_NONCE.hex(),
            "client_key_hex": material[:32].hex(), "server_key_hex": key.hex(),
            "client_nonce_prefix_hex": material[64:68].hex(), "server_nonce_prefix_hex": prefix.hex(),
            "datagrams": datagrams}


def direct(psk):
    prk = extract(EXPORTED + psk)
    return {"psk_hex": psk.hex(), "exported_hex": EXPORTED.hex(), "client_nonce_hex": CLIENT_NONCE.hex(),
            "server_nonce_hex": SERVER_NONCE.hex()} | {
                f"{side}_secret_hex": HKDFExpand(SHA256(), 32, f"qdt-direct-v1 {side}".encode()).derive(prk).hex()
                for side in ("client", "server")}


def address(text):
    ip = ipaddress.ip_address(text)
    return bytes([ip.version]) + ip.packed


def capsule(kind, value):
    return {"type": kind, "value_hex": value.hex(), "capsule_hex": (varint(kind) + prefixed(value)).hex()}


def assigned(addresses):
    value = b"".join(varint(request) + address(text.split("/")[0]) + bytes([int(text.split("/")[1])])
                     for request, text in addresses)
    return capsule(1, value) | {"addresses": addresses}


def advertised(texts):
    """What is left of everything without these networks, as ranges."""
    ranges = []
    for everything in ("0.0.0.0/0", "::/0"):
        left = [ipaddress.ip_network(everything)]
        for gone in map(ipaddress.ip_network, texts):
            if gone.version == left[0].version:
                left = [part for net in left for part in (net.address_exclude(gone) if gone.subnet_of(net) else [net])]
        joined = []
        for net in sorted(left):
            if joined and int(joined[-1][1]) + 1 == int(net[0]):
                joined[-1][1] = net[-1]
            else:
                joined.append([net[0], net[-1]])
        ranges += joined
    value = b"".join(address(str(first)) + last.packed + b"\0" for first, last in ranges)
    prefixes = [str(net) for first, last in ranges for net in ipaddress.summarize_address_range(first, last)]
    return capsule(3, value) | {"ranges": [[str(first), str(last)] for first, last in ranges], "prefixes": prefixes}


tokens = {token: token_keys(token) for token in ("correct-horse-battery-staple", "x", "Grüße, 16 bytes or more of them")}
client, server = (tokens["correct-horse-battery-staple"][side] for side in ("client", "server"))
rfc8032 = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
SEALED_CONTENTS = [(0, 0, b"E" + bytes(19)), (1, 1, bytes([0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9]) + b"piece"),
                   (2, 2, b""), (70000, 3, b"pong"), (2**64 - 1, 4, b"\x01")]
print(json.dumps({
    "tokens": [{"token": token, "psk_hex": keys["psk"].hex()}
               | {f"{side}_seed_hex": keys[side].hex() for side in ("client", "server")}
               | {f"{side}_public_key_hex": public(keys[side]).hex() for side in ("client", "server")}
               for token, keys in tokens.items()],
    "proofs": [proof(client, "vpn.example.org", 443), proof(rfc8032, "VPN.Example.ORG", 8443),
               proof(client, "192.0.2.7", 443), proof(rfc8032, "[2001:db8::7]", 65535),
               proof(client, "a" * 63 + ".example", 443, b"basement")],
    "links": [link("vpn.example.org", "anna", [server], "e", bytes(range(16))),
              link("[2001:db8::7]:8443", "Bob-2.x_y", [server, rfc8032], "e", b"0123456789abcdef"),
              link("192.0.2.7", "a", [rfc8032], "k", client)],
    "server_proofs": [server_proof(server, client), server_proof(rfc8032, client)],
    "sealed": [sealed(tokens["x"]["psk"], "chacha20-poly1305", ChaCha20Poly1305, SEALED_CONTENTS),
               sealed(bytes(range(32)), "aes-256-gcm", AESGCM, SEALED_CONTENTS)],
    "direct": [direct(bytes(range(32))), direct(b"")],
    "assigned": [assigned([[0, "10.8.0.2/32"], [0, "2001:db8::2/128"]]),
                 assigned([[1, "0.0.0.0/32"], [2, "::/128"], [70000, "2001:db8:1::/48"]]), assigned([])],
    "advertised": [advertised([]), advertised(["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"]),
                   advertised(["0.0.0.0/1", "128.0.0.0/1"]), advertised(["255.255.255.255/32", "::1/128"])],
}, indent=1))
