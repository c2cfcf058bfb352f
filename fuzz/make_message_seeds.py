#!/usr/bin/env python3
"""Writes what fuzzing of version 2's messages begins with, into fuzz/corpus: good ones, and bad ones
of each kind."""

import ipaddress
import pathlib


def varint(value, least=1):
    for bits, size in ((0, 1), (1, 2), (2, 4), (3, 8)):
        if size >= least and value < 1 << (8 * size - 2):
            return (value | bits << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(value)


def capsule(kind, value, least=1):
    return varint(kind, least) + varint(len(value), least) + value


def address(text):
    ip = ipaddress.ip_address(text)
    return bytes([ip.version]) + ip.packed


def entry(request, text, length):
    return varint(request) + address(text) + bytes([length])


def route(first, last, protocol=0):
    return address(first) + ipaddress.ip_address(last).packed + bytes([protocol])


DATAGRAM, ASSIGN, REQUEST, ROUTES = range(4)
V6_LAST = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


def capsules():
    """The first byte is for the fuzzer: one less than the length of the pieces."""
    lease = entry(0, "10.8.0.2", 32) + entry(7, "2001:db8::2", 128)
    everything = route("0.0.0.0", "255.255.255.255") + route("::", V6_LAST)
    yield "session", capsule(ASSIGN, lease) + capsule(ROUTES, everything)
    yield "request", capsule(REQUEST, entry(1, "0.0.0.0", 32) + entry(2, "::", 128))
    yield "refusals", capsule(ASSIGN, entry(1, "0.0.0.0", 32) + entry(2, "::", 128))
    yield "empty", capsule(ASSIGN, b"") + capsule(REQUEST, b"") + capsule(ROUTES, b"")
    yield "split", capsule(ROUTES, route("0.0.0.0", "9.255.255.255") + route("11.0.0.0", "255.255.255.255")
                           + route("10.0.0.1", "10.0.0.1", 6) + route("fd00::", "fd00::ffff", 17))
    yield "long_forms", capsule(ASSIGN, lease, 8) + capsule(ROUTES, everything, 4)
    yield "datagram", capsule(DATAGRAM, b"\x00" + b"E" * 20) + capsule(DATAGRAM, b"")
    yield "unknown", capsule(0x17, b"grease") + capsule(0x1ACE79EC, b"dns") + capsule(ASSIGN, lease)
    yield "unknown_endless", varint(0x40) + varint(2**62 - 1) + b"x" * 40
    yield "too_long", varint(ROUTES) + varint(16385) + everything
    yield "datagram_too_long", varint(DATAGRAM) + varint(2**40) + b"y" * 40
    yield "cut_header", capsule(ASSIGN, lease) + b"\xc0\x00"
    yield "cut_value", capsule(ASSIGN, lease)[:-3]
    yield "lies_short", capsule(ASSIGN, lease[:-1])
    yield "lies_long", capsule(ASSIGN, lease + b"\x00")
    yield "version", capsule(ASSIGN, b"\x00\x05" + bytes(4) + b"\x20")
    yield "length", capsule(ASSIGN, entry(0, "10.8.0.2", 33) + entry(0, "::1", 129))
    yield "host_bits", capsule(ASSIGN, entry(0, "10.8.0.2", 24))
    yield "mapped", capsule(ASSIGN, entry(0, "::ffff:10.8.0.2", 128))
    yield "request_zero", capsule(REQUEST, entry(0, "0.0.0.0", 32))
    yield "request_twice", capsule(REQUEST, entry(1, "0.0.0.0", 32) * 2)
    yield "overlap", capsule(ROUTES, route("10.0.0.0", "10.0.0.9") + route("10.0.0.9", "10.0.0.20"))
    yield "overlap_protocol", capsule(ROUTES, route("10.0.0.0", "10.0.0.9") + route("10.0.0.1", "10.0.0.1", 6))
    yield "unsorted", capsule(ROUTES, route("::", V6_LAST) + route("0.0.0.0", "255.255.255.255"))
    yield "backwards", capsule(ROUTES, route("10.0.0.9", "10.0.0.1"))
    yield "many", capsule(ROUTES, b"".join(route(f"10.0.{i}.0", f"10.0.{i}.99") for i in range(200)))


def fields():
    yield "request", ('v=2, caps=(ping close resume ipv6 direct), nonce=:AAECAwQFBgcICQoLDA0ODw==:, '
                      'direct=(:AAECAwQFBgc=: :CAkKCwwNDg8=:), resume="abc", name="laptop", platform="linux"')
    yield "answer", 'v=2, caps=(ping), nonce=:AAECAwQFBgcICQoLDA0ODw==:, mtu=1350, dns=("10.8.0.1" "fd00::1")'
    yield "flags", "a, b;c;d=1, e=?0"
    yield "numbers", "a=-999999999999999, b=123456789012.125, c=@1659578233, d=007"
    yield "display", 'a=%"f%c3%bc %e2%82%ac %f0%9f%98%80", b="\\"\\\\"'
    yield "lists", "a=(), b=(1;x  2 ), c=(tok/en:* ?1 :AA:)"
    yield "item", "?1;param"
    yield "item_string", '"text"'
    yield "twice", "a=1, a=2"
    yield "comma", "a=1,"
    yield "nested", "a=((1))"
    yield "cut_bytes", "a=:AAEC"
    yield "cut_list", "a=(1 2"
    yield "bad_base64", "a=:AB==:"
    yield "bad_utf8", 'a=%"%ed%a0%80"'
    yield "bad_number", "a=1234567890123456"
    yield "many", ",".join(f"k{i}" for i in range(300))
    yield "long", 'a="' + "x" * 5000 + '"'


def sessions():
    nonce = "v=2, nonce=:AAECAwQFBgcICQoLDA0ODw==:"
    yield "request", (nonce + ', caps=(ping close fragment resume direct shared_id), mtu=1400, direct=(:AAECAwQFBgc=: '
                      ':CAkKCwwNDg8=:), resume="abc", name="laptop", platform="linux"')
    yield "answer", (nonce + ', caps=(ping resume direct), mtu=1350, direct=(:AAECAwQFBgc=:), resume="xyz", '
                     'gateway=("10.8.0.1" "fd00:8::1"), dns=("10.8.0.1"), domains=("corp.example"), '
                     f'key=:{"A" * 42}E=:, proof=:{"B" * 85}A==:')
    yield "least", nonce
    yield "unknown", nonce + ', caps=(warp;x=1), later=(1 2.5 @3 %"%c3%bc");p'
    yield "version", nonce.replace("2", "1", 1)
    yield "types", nonce + ", caps=ping, mtu=1.5"
    yield "ids_twice", nonce + ", caps=(direct), direct=(:AAECAwQFBgc=: :AAECAwQFBgc=:)"
    yield "ids_none", nonce + ", caps=(direct)"
    yield "no_token", nonce + ', caps=(resume), resume="a b"'
    yield "key_alone", nonce + f', key=:{"A" * 42}E=:'
    yield "addresses", nonce + ', dns=("127.0.0.1"), gateway=("fe80::1")'
    yield "name", nonce + ', name="a \\"b\\" \\\\"'


def targets():
    """The first byte is for the fuzzer: which template."""
    for name, text in {
        "everything": "/.well-known/masque/ip/*/*/",
        "encoded": "/.well-known/masque/ip/%2A/%2a/",
        "prefix": "/.well-known/masque/ip/2001%3Adb8%3A%3A%2F32/17/",
        "host_bits": "/.well-known/masque/ip/192.0.2.7%2F24/*/",
        "name": "/.well-known/masque/ip/www.example.org/6/",
        "cut": "/.well-known/masque/ip/*/%2",
        "protocol": "/.well-known/masque/ip/*/256/",
        "elsewhere": "/connect",
        "authority": "vpn.example.org:8443",
        "authority_v6": "[2001:db8::7]:443",
        "authority_user": "user@host:",
    }.items():
        yield name, "\0" + text
    yield "query", "\1/p?i=6&t=*"
    yield "plain", "\2/vpn"


def proofs():
    values = {"k": "YmFzZW1lbnQ", "a": "A" * 43, "s": "2055", "v": "B" * 21 + "A", "p": "C" * 85 + "A"}
    good = "Concealed " + ", ".join(f"{name}={value}" for name, value in values.items())
    yield "good", good
    yield "spaces", good.replace("Concealed ", "concealed   ").replace(", ", "\t,  ").replace("=", " = ")
    yield "unknown", good + ', x=1, y="a, \\" k=AA"'
    yield "realm", good + ', realm="r"'
    yield "twice", good + ", k=YmFzZW1lbnQ"
    yield "quoted", good.replace("YmFzZW1lbnQ", '"YmFzZW1lbnQ"')
    yield "padding", good.replace("YmFzZW1lbnQ", "YmFzZW1lbnQ=")
    yield "scheme", good.replace("2055", "2052")
    yield "missing", good[: good.rindex(",")]
    yield "comma", good + ","
    yield "basic", "Basic dXNlcjpwYXNz"
    yield "open_quote", good + ', x="1\\'
    yield "long", good + ", x=" + "1" * 2000


def datagrams():
    """The first byte is for the fuzzer: fragments 1, control 2, sealed 4, and the type to write, times 8."""
    packet = b"E" + bytes(27)
    yield "packet", b"\3\0" + packet
    yield "fragment", b"\x0b\2" + bytes([0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 28]) + packet
    yield "ping", b"\x13\4\2ping"
    yield "pong", b"\x1b\4\3ping"
    yield "close", b"\x23\4\4\1"
    yield "type", b"\x2b\4\5"
    yield "type_missing", b"\3\4"
    yield "plain", b"\0\2" + packet
    yield "plain_ping", b"\x10\4\2"
    yield "unknown", b"\3\x3e\2" + packet
    yield "long_forms", b"\3\x40\0" + packet
    yield "long_forms_ping", b"\3\xc0" + bytes(6) + b"\4\2"
    yield "cut", b"\3\xc0\0"
    yield "empty", b"\3"
    yield "sealed", b"\7\6" + bytes(8) + b"c" * 29 + b"t" * 16
    yield "sealed_short", b"\7\6" + bytes(24)
    yield "sealed_other", b"\x07\0" + packet


def main():
    corpus = pathlib.Path(__file__).parent / "corpus"
    messages = {"capsule": capsules(), "structured_field": fields(), "session_field": sessions(),
                "concealed_auth": proofs(), "request_target": targets(), "context_datagram": datagrams()}
    for name, seeds in messages.items():
        folder = corpus / name
        folder.mkdir(exist_ok=True)
        for index, (seed, data) in enumerate(seeds):
            prefix = bytes([(0, 2, 255)[index % 3]]) if name == "capsule" else b""
            (folder / seed).write_bytes(prefix + (data.encode() if isinstance(data, str) else data))


if __name__ == "__main__":
    main()
