#!/usr/bin/env python3
"""A name server and its client, for tests that resolve names.

serve LISTEN NAME=ADDRESS...   answers questions for the IPv4 addresses of these names, from LISTEN
                               (an address, or ADDRESS%DEVICE), and knows no other name
ask SERVER NAME                prints the IPv4 address that SERVER has for a name, within two seconds
"""
import socket
import struct
import sys


def socket_for(text):
    info = socket.getaddrinfo(text, 53, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
    return socket.socket(info[0], socket.SOCK_DGRAM), info[4]


def question_end(message):
    at = 12
    while message[at]:
        at += message[at] + 1
    return at + 5


def name_in(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += message[at] + 1
    return ".".join(labels).lower()


def serve(listen, *pairs):
    addresses = dict(pair.split("=") for pair in pairs)
    own, place = socket_for(listen)
    own.bind(place)
    print("ready", flush=True)
    while True:
        message, sender = own.recvfrom(1500)
        name, end = name_in(message), question_end(message)
        address = addresses.get(name)
        print("asked for", name, "by", sender[0], flush=True)
        is_a = message[end - 4:end - 2] == b"\0\1"
        record = b""
        if address and is_a:
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address)
        flags = b"\x81\x80" if address else b"\x81\x83"
        head = message[:2] + flags + struct.pack(">4H", 1, bool(record), 0, 0)
        own.sendto(head + message[12:end] + record, sender)


def ask(server, name):
    own, place = socket_for(server)
    own.settimeout(2)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    own.connect(place)
    own.send(b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1")
    print(socket.inet_ntoa(own.recv(1500)[-4:]))


{"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
