"""What floods take from a session: payloads that belong to nobody, beside one TCP stream without a limit.

Flood and no flood take turns on one stream, and each flood is compared with the moments right before and
after it: whatever else the machine does falls on both. The attacker is on the client's host and
needs a processor, too: what he takes by that is what a flood takes of a port that nobody reads.
"""

import json
import os
import re
import statistics
import time
from dataclasses import dataclass, field

from hosts import ADDRESS, Failed, run
from vpns.qdt import BUILD

PER_SECOND = 50_000
SECONDS = 3  # of each look at the stream
SETTLING = 0.5  # until a flood has begun, and until the stream has recovered from it
DEVICE = "qdt0"
GATEWAY = "10.64.0.1"
ADDRESS6 = {"client": "fd00:51::1", "server": "fd00:51::2"}
SINK_PORT = 9
SITE = "2001:db8:77::/48"
SITES = "2a00:77::/32"  # 2^16 of them
ADDRESSES = "10.200.0.0/16"
FIRST = ("--throw", "forged-initial")

SINK = f"""
import socket, time
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sink.bind(("", {SINK_PORT}))
time.sleep(100000)
"""
# The connection ID of the next short packet for the server.
FIND_ID = """
import socket
packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
packets.bind(("eth0", 0x0800))
packets.settimeout(10)
while True:
    packet = packets.recv(65535)
    udp = packet[4 * (packet[0] & 15):]
    if packet[9] == 17 and udp[2:4] == bytes((443 >> 8, 443 & 255)) and udp[8] & 0x80 == 0:
        print(udp[9:17].hex())
        break
"""


@dataclass
class Moment:
    """Rates a second."""

    bits: float
    processor: float  # seconds of the server's


@dataclass
class Seen:
    """Of one kind of flood, a value for each round."""

    left: list = field(default_factory=list)
    payloads: list = field(default_factory=list)
    costs: list = field(default_factory=list)

    def __str__(self):
        return (f"{statistics.median(self.left):.2f} ({min(self.left):.2f} to {max(self.left):.2f}) left, "
                f"{1e6 * statistics.median(self.costs):.1f} us each, "
                f"{min(self.payloads) / 1e3:.0f},000/s at least")


class Floods:
    """`server` and a client of it are up, on `hosts`."""

    def __init__(self, hosts, server):
        self.hosts = hosts
        self.server = server
        self._give_everybody_a_way()
        hosts.start("server", "sink", "python3", "-c", SINK)

    def beside(self, direction, rounds):
        """What each kind leaves of a stream `direction`, and of the stream alone."""
        receiver = "server" if direction == "up" else "client"
        flow = self.hosts.start("client", "stream", "iperf3", "--client", GATEWAY, "--time", "86400",
                                *(["--reverse"] if direction == "down" else []))
        time.sleep(2)
        kinds = self._kinds()
        seen, alone = {kind: Seen() for kind in kinds}, []
        before = self._moment(receiver)
        for _ in range(rounds):
            for kind, crowd in kinds.items():
                beside, payloads = self._flood(receiver, crowd)
                after = self._moment(receiver)
                bits = (before.bits + after.bits) / 2
                processor = (before.processor + after.processor) / 2
                left = beside.bits / bits
                seen[kind].left.append(left)
                seen[kind].payloads.append(payloads)
                seen[kind].costs.append((beside.processor - left * processor) / payloads)
                alone.append(after.bits)
                before = after
        self.hosts.stop(flow)
        return statistics.median(alone), seen

    def _kinds(self):
        """What qdt-crowd is told for each kind. The session carries packets."""
        live = ("--throw", "short-header", "--id",
                self.hosts.run("server", "python3", "-c", FIND_ID).strip())
        port, port6 = f"{ADDRESS['server']}:443", f"[{ADDRESS6['server']}]:443"
        return {
            "2^16 addresses, a port that nobody reads":
                (f"{ADDRESS['server']}:{SINK_PORT}", *FIRST, "--sources", ADDRESSES),
            "first packets from one address": (port, *FIRST),
            "first packets from a /48": (port6, *FIRST, "--sources", SITE),
            "first packets from 2^16 addresses": (port, *FIRST, "--sources", ADDRESSES),
            "first packets from 2^16 /48s": (port6, *FIRST, "--sources", SITES),
            "garbage at the session's ID from one address": (port, *live),
            "the same from 2^16 addresses": (port, *live, "--sources", ADDRESSES),
        }

    def _flood(self, receiver, crowd):
        """The stream meanwhile, and payloads a second."""
        count = round(PER_SECOND * (SECONDS + 2 * SETTLING))
        process = self.hosts.start("client", "crowd", os.path.join(BUILD, "qdt-crowd"), *crowd,
                                   "--count", str(count), "--per-second", str(PER_SECOND))
        time.sleep(SETTLING)
        beside = self._moment(receiver)
        process.wait(30)
        self.hosts.stop(process)
        with open(self.hosts.path("crowd.log"), encoding="utf-8") as file:
            told = re.findall(r"(\d+) sent in (\d+) ms", file.read())
        if not told:
            raise Failed(f"qdt-crowd: nothing was sent{self.hosts.last_words()}")
        time.sleep(SETTLING)
        return beside, 1e3 * int(told[-1][0]) / int(told[-1][1])

    def _moment(self, receiver):
        begun, bytes_before, used = (time.monotonic(), self._received_bytes(receiver),
                                     self.server.processor_seconds())
        time.sleep(SECONDS)
        took = time.monotonic() - begun
        return Moment(8 * (self._received_bytes(receiver) - bytes_before) / took,
                      (self.server.processor_seconds() - used) / took)

    def _received_bytes(self, host):
        told = run("ip", "-n", self.hosts.namespace(host), "-json", "-statistics", "link", "show",
                   "dev", DEVICE)
        return json.loads(told)[0]["stats64"]["rx"]["bytes"]

    def _give_everybody_a_way(self):
        """The client's host has the addresses of all of them: the server's Retries arrive."""
        for host, address in ADDRESS6.items():
            run("ip", "-n", self.hosts.namespace(host), "address", "add", address + "/64", "dev",
                "eth0", "nodad")
        self.hosts.run("client", "sysctl", "-qw", "net.ipv6.ip_nonlocal_bind=1")
        for sources in (SITE, SITES):
            self.hosts.run("client", "ip", "-6", "route", "add", "local", sources, "dev", "lo")
            self.hosts.run("server", "ip", "-6", "route", "add", sources, "via", ADDRESS6["client"])


def measure(hosts, server, rounds):
    """The figures of the row, each with what it is."""
    floods = Floods(hosts, server)
    memory = server.memory()
    for direction in ("up", "down"):
        alone, seen = floods.beside(direction, rounds)
        yield f"a stream {direction} alone", f"{alone / 1e6:.0f} Mbit/s"
        for kind, figures in seen.items():
            yield f"  {kind}", str(figures)
    if server.metric("qdt_sessions_active") != 1:
        raise Failed("the session has not survived")
    yield "the server's memory before, after", f"{memory:.0f}, {server.memory():.0f} MiB"
