#!/usr/bin/env python3
"""Keeps descriptors for a service as systemd does, and does nothing else of systemd's.

service_manager.py FOLDER NAMES STEP -- SERVICE...

Runs STEP, a shell command, with a socket for sd_notify(3) in FOLDER, and keeps the descriptors that it hands
over (FDSTORE=1). Then becomes SERVICE, with these behind standard error (sd_listen_fds(3)), and without
bpf(2), as SystemCallFilter= of the unit has it. NAMES: "kept"; "none" to hand none on; "lost" to tell of them
all the same.
"""
import array
import ctypes
import os
import socket
import struct
import subprocess
import sys


def take(manager, store):
    """One message; a barrier is over when its descriptor is closed."""
    message, control, _, _ = manager.recvmsg(4096, socket.CMSG_SPACE(16 * 4))
    given = array.array("i")
    for level, kind, content in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            given.frombytes(content[:len(content) // 4 * 4])
    words = dict(line.split("=", 1) for line in message.decode().splitlines())
    name = words.get("FDNAME", "stored")
    if "BARRIER" in words:
        os.close(given[0])
    elif "FDSTOREREMOVE" in words:
        for descriptor in store.pop(name, []):
            os.close(descriptor)
    elif "FDSTORE" in words:
        assert words.get("FDPOLL") == "0", "an array of a program's would be thrown away"
        store.setdefault(name, []).extend(given)
    return words


def refuse_bpf():
    """A seccomp filter that needs no library: bpf(2) fails with EPERM."""
    numbers = {"x86_64": 321, "aarch64": 280}
    load, equal, give = 0x20, 0x15, 0x06
    program = struct.pack("HBBI", load, 0, 0, 0)
    program += struct.pack("HBBI", equal, 0, 1, numbers[os.uname().machine])
    program += struct.pack("HBBI", give, 0, 0, 0x00050001)
    program += struct.pack("HBBI", give, 0, 0, 0x7fff0000)
    memory = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(memory)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # no_new_privs
    assert libc.prctl(22, 2, header) == 0, os.strerror(ctypes.get_errno())


def main():
    folder, names, step = sys.argv[1:4]
    service = sys.argv[5:]
    path = os.path.join(folder, "notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    manager.settimeout(10)
    store = {}
    running = subprocess.Popen(["/bin/sh", "-c", step], env={**os.environ, "NOTIFY_SOCKET": path})
    while "BARRIER" not in take(manager, store):
        pass
    if running.wait() != 0:
        sys.exit("the step failed")
    print("kept: " + " ".join(sorted(store)), flush=True)
    if names == "none":
        store = {}
    kept = [(name, descriptor) for name, all_of_it in store.items() for descriptor in all_of_it]
    first = 3
    for place, (_, descriptor) in enumerate(kept):
        os.dup2(descriptor, 100 + place)
    for place in range(len(kept)):
        os.dup2(100 + place, first + place, inheritable=True)
        os.close(100 + place)
    os.closerange(first if names == "lost" else first + len(kept), 256)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(kept))
    os.environ["LISTEN_FDNAMES"] = ":".join(name for name, _ in kept)
    refuse_bpf()
    os.execvp(service[0], service)


main()
