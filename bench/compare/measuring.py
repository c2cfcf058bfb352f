"""What is measured, and how. A measurement takes a Run and returns values by the key of their row.
"""

import json
import math
import os
import re
import statistics
import time
from dataclasses import dataclass, field

from hosts import Failed
from hosts import run as run_here
from vpns.qdt import BUILD

OTHER = {"client": "server", "server": "client"}
PACED_PACKET_BYTES = 64
MAX_LOSS = 0.01
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Row:
    key: str
    title: str
    unit: str
    is_more_better: bool
    digits: int = 0
    scale: float = 1


ROWS = [
    Row("tcp1_up", "TCP, 1 stream, up", "Mbit/s", True, scale=1e-6),
    Row("tcp1_down", "TCP, 1 stream, down", "Mbit/s", True, scale=1e-6),
    Row("tcp4_up", "TCP, 4 streams, up", "Mbit/s", True, scale=1e-6),
    Row("tcp4_down", "TCP, 4 streams, down", "Mbit/s", True, scale=1e-6),
    Row("bare1_up", "TCP, 1 stream, up, cable without offloads", "Mbit/s", True, scale=1e-6),
    Row("bare1_down", "TCP, 1 stream, down, cable without offloads", "Mbit/s", True, scale=1e-6),
    Row("udp_up", "64-byte packets, up", "1000/s", True, 1, 1e-3),
    Row("udp_down", "64-byte packets, down", "1000/s", True, 1, 1e-3),
    Row("ping_p50", "ping, idle, p50", "ms", False, 3, 1e3),
    Row("ping_p99", "ping, idle, p99", "ms", False, 3, 1e3),
    Row("loaded_ping_p50", "ping under a TCP stream, p50", "ms", False, 2, 1e3),
    Row("cpu_up", "CPU, TCP up, both daemons", "s/GB", False, 2, 1e9),
    Row("cpu_down", "CPU, TCP down, both daemons", "s/GB", False, 2, 1e9),
    Row("memory_server", "peak memory, server", "MiB", False, 1, 2**-20),
    Row("memory_client", "peak memory, client", "MiB", False, 1, 2**-20),
]


@dataclass
class Run:
    """One VPN, up, in one round."""

    hosts: object
    vpn: object
    daemons: dict
    seconds: float
    previous: dict = field(default_factory=dict)  # values of the round before

    def cpu_seconds(self):
        """User and system time of the daemons. What the kernel does for them elsewhere, in
        interrupts say, is on nobody's account."""
        ticks = 0
        for daemon in self.daemons.values():
            with open(f"/proc/{daemon.pid}/stat", encoding="utf-8") as stat:
                fields = stat.read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS_PER_SECOND


def iperf(run, direction, streams, seconds):
    """Starts an iperf3 server on the server, and returns the command of its client."""
    hosts, address = run.hosts, run.vpn.address["server"]
    server = hosts.start("server", "iperf3", "iperf3", "--server", "--one-off", "--bind", address)
    hosts.wait_for("iperf3", lambda: hosts.run("server", "ss", "-Hltn", "sport = :5201") != "")
    command = ["iperf3", "--client", address, "--json", "--congestion", "cubic",
               "--connect-timeout", "5000", "--time", str(math.ceil(seconds)),
               "--parallel", str(streams)]
    if direction == "down":
        command.append("--reverse")
    return server, command


def transfer(run, direction, streams):
    """Bits per second that arrived, and CPU seconds of the daemons for each byte."""
    server, command = iperf(run, direction, streams, run.seconds)
    try:
        before = run.cpu_seconds()
        told = json.loads(run.hosts.run("client", *command, seconds=run.seconds + 20))
        spent = run.cpu_seconds() - before
    finally:
        run.hosts.stop(server)
    received = told["end"]["sum_received"]
    if not received["bytes"]:
        raise Failed("iperf3: nothing arrived")
    return received["bits_per_second"], spent / received["bytes"]


def measure_tcp(run):
    values = {}
    for direction in ("up", "down"):
        values[f"tcp1_{direction}"], cpu = transfer(run, direction, 1)
        if run.daemons:
            values[f"cpu_{direction}"] = cpu
        values[f"tcp4_{direction}"], _ = transfer(run, direction, 4)
    return values


def measure_bare(run):
    """Comes last: the cable stays like that."""
    run.hosts.switch_offloads_off()
    return {f"bare1_{direction}": transfer(run, direction, 1)[0] for direction in ("up", "down")}


def measure_udp(run):
    return {f"udp_{direction}": highest_rate(run, direction) for direction in ("up", "down")}


def highest_rate(run, direction):
    """Packets per second of which 99 % arrive: raised until that fails, or lowered until it does
    not, then halved in ratio until 5 % remain. A rate has failed when it failed twice: the machine
    may have been elsewhere."""
    sender = "client" if direction == "up" else "server"
    names = [run.hosts.namespace(host) for host in (sender, OTHER[sender])]
    seconds = min(2, max(0.5, run.seconds / 5))

    def arrives(rate):
        told = json.loads(run_here(os.path.join(BUILD, "qdt_pace"), *names,
                                   run.vpn.address[OTHER[sender]], str(round(rate)), str(seconds),
                                   str(PACED_PACKET_BYTES), seconds=seconds + 20))
        return told["received"] >= (1 - MAX_LOSS) * told["planned"]

    good, bad = 0, None
    previous = run.previous.get(f"udp_{direction}")
    rate, step = (previous, 1.25) if previous else (50_000, 2)
    while bad is None or bad > 1.05 * good:
        if arrives(rate) or arrives(rate):
            good = rate
            rate = step * good if bad is None else math.sqrt(good * bad)
        else:
            bad = rate
            rate = bad / step if good == 0 else math.sqrt(good * bad)
        if rate < 500:
            raise Failed("paced packets: less than 500 per second arrive")
    return good


def ping(run, count, interval, host="client"):
    """Round trips in seconds, in order of their length."""
    told = run.hosts.run(host, "ping", "-n", "-c", str(count), "-i", str(interval), "-W", "2",
                         run.vpn.address["server"], seconds=count * interval + 20)
    times = sorted(float(time) / 1000 for time in re.findall(r"time=([\d.]+) ms", told))
    if len(times) < count * 0.9:
        raise Failed(f"ping: {len(times)} of {count} came back")
    return times


def measure_ping(run):
    times = ping(run, min(500, round(200 * run.seconds)), 0.005)
    return {"ping_p50": statistics.median(times), "ping_p99": times[int(0.99 * len(times))]}


def measure_loaded_ping(run):
    server, command = iperf(run, "up", 1, run.seconds + 2)
    client = run.hosts.start("client", "iperf3-client", *command)
    try:
        time.sleep(0.5)
        times = ping(run, round(50 * run.seconds), 0.02)
    finally:
        run.hosts.stop(client)
        run.hosts.stop(server)
    return {"loaded_ping_p50": statistics.median(times)}


def measure_memory(run):
    values = {}
    for host, daemon in run.daemons.items():
        with open(f"/proc/{daemon.pid}/status", encoding="utf-8") as status:
            kibibytes = re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)
        values[f"memory_{host}"] = int(kibibytes) * 1024
    return values


# By the names in ROWS=, in the order in which they are taken.
MEASUREMENTS = {
    "ping": measure_ping,
    "tcp": measure_tcp,
    "loaded": measure_loaded_ping,
    "udp": measure_udp,
    "bare": measure_bare,
    "memory": measure_memory,
}


def expected_seconds(name, seconds):
    """About how long it takes, for who waits."""
    return {"ping": 3, "tcp": 4 * seconds + 2, "loaded": seconds + 2,
            "udp": 30 * (min(2, max(0.5, seconds / 5)) + 0.4), "bare": 2 * seconds + 1,
            "memory": 0}[name]
