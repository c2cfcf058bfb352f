"""Where QDT's time goes: both daemons under perf during a TCP transfer, their samples sorted by
what the code at hand belongs to."""

import re

from hosts import Failed
from measuring import transfer

PARTS = ("crypto", "QUIC", "QDT", "copies", "system calls", "rest")

LIBRARIES = (
    ("crypto", r"lib(IPSec_MB|gnutls|nettle|hogweed|gmp)"),
    ("QUIC", r"lib(ngtcp2|nghttp3)"),
    ("QDT", r"qdt-(client|server)"),
    ("system calls", r"\[(kernel|guest\.kernel|vdso|\S+\.ko)|^\[\w+\]$"),
)
# Bytes moved, by the C library or between it and the kernel.
COPIES = re.compile(r"copy_(to|from)_(user|iter)|_copy_(to|from)_iter|rep_movs|memcpy|memmove|"
                    r"csum_partial_copy|csum_and_copy|copy_user|copy_page_(to|from)_iter|"
                    r"copyin|copyout|memset|clear_page|skb_copy_bits|skb_copy_and_csum")


def part_of(symbol, library):
    if COPIES.search(symbol):
        return "copies"
    return next((part for part, pattern in LIBRARIES if re.search(pattern, library)), "rest")


def measure_shares(run):
    """{"client, TCP up": {part: share}, ...}"""
    shares = {}
    for direction in ("up", "down"):
        recorders = {
            host: run.hosts.start(host, f"perf-{host}", "perf", "record", "--quiet",
                                  "--freq", "999", "--pid", str(daemon.pid),
                                  "--output", run.hosts.path(f"{host}-{direction}.perf"))
            for host, daemon in run.daemons.items()}
        try:
            transfer(run, direction, 1)
        finally:
            for recorder in recorders.values():
                run.hosts.stop(recorder)
        for host in recorders:
            shares[f"{host}, TCP {direction}"] = share(run, f"{host}-{direction}.perf", host)
    return shares


def share(run, recording, host):
    told = run.hosts.run(host, "perf", "script", "--input", run.hosts.path(recording), "--fields",
                         "ip,sym,dso", seconds=120)
    counts = dict.fromkeys(PARTS, 0)
    for line in told.splitlines():
        sample = re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line)
        if sample:
            counts[part_of(sample[1], sample[2])] += 1
    total = sum(counts.values())
    if total == 0:
        raise Failed("perf: no samples")
    return {part: count / total for part, count in counts.items()}
