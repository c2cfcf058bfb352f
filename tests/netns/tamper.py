#!/usr/bin/env python3
"""tamper.py PID no-checksums|all-to-first: changes a running server's UDP sockets from outside, as no
configuration can: without checksums the kernel refuses UDP_SEGMENT (EINVAL); all-to-first replaces
the program that chooses a shard's socket by one that always takes the first."""

import ctypes
import os
import socket
import struct
import sys

PIDFD_GETFD = 438
SO_NO_CHECK = 11
SO_ATTACH_REUSEPORT_CBPF = 51


def udp_sockets(pid):
    pidfd = os.pidfd_open(pid)
    libc = ctypes.CDLL(None, use_errno=True)
    for name in os.listdir(f"/proc/{pid}/fd"):
        if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
            continue
        fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
        if fd < 0:
            sys.exit(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
        found = socket.socket(fileno=fd)
        if found.type & socket.SOCK_DGRAM and found.family in (socket.AF_INET, socket.AF_INET6):
            yield found


def attach(found, instruction):
    program = ctypes.create_string_buffer(instruction)
    request = struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
    found.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, request)


sockets = list(udp_sockets(int(sys.argv[1])))
if not sockets:
    sys.exit("no UDP socket found")
if sys.argv[2] == "no-checksums":
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
else:
    attach(sockets[0], struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET | BPF_K: 0
