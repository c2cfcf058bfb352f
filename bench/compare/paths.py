"""Paths that are worse than a cable (qdt_linkem), and what a VPN has to show on each of them.

A case is a path and a function that takes a Run on it and returns values by the key of their row.
Each begins with fresh hosts and a fresh VPN, so that none meets what another has left behind."""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import Callable

from hosts import ADDRESS, Failed
from hosts import run as run_here
from measuring import iperf, ping
from vpns.qdt import BUILD

LINKEM = os.path.join(BUILD, "qdt_linkem")
STEADY_FLOW = os.path.join(os.path.dirname(__file__), "steady_flow.py")
STEADY_PER_SECOND = 50
WARM_UP_SECONDS = 3
HEAD_START_SECONDS = 0.5
FLOOD_BYTES = 1300
TURNS = 7  # of 8 seconds


@dataclass
class Aim:
    """Of a value, or of its ratio to wireguard-go's where it says so."""

    limit: float
    is_at_least: bool
    is_ratio: bool = False

    def as_text(self, row):
        sign = ">=" if self.is_at_least else "<="
        if self.is_ratio:
            return f"ratio {sign} {self.limit:g}"
        return f"{sign} {self.limit * row.scale:g} {row.unit}"

    def is_met(self, value):
        return value >= self.limit if self.is_at_least else value <= self.limit


@dataclass
class PathRow:
    key: str
    title: str
    unit: str
    aim: Aim | None
    digits: int = 0
    scale: float = 1


def at_least(limit):
    return Aim(limit, True)


def at_most(limit):
    return Aim(limit, False)


def of_wireguard(ratio):
    return Aim(ratio, True, is_ratio=True)


ROWS = [
    PathRow("bloat_ping", "20 Mbit/s, 30 ms, 500 ms of buffer, an upload: ping p95 above idle",
            "ms", at_most(0.025), 1, 1e3),
    PathRow("bloat_use", "and the link in use", "%", at_least(0.90), 1, 100),
    PathRow("bloat_rate", "and TCP's payload", "Mbit/s", None, 1, 1e-6),
    PathRow("steady_delay", "the same, 8 uploads: one-way p99 of 50 packets/s above idle", "ms",
            at_most(0.050), 1, 1e3),
    PathRow("steady_loss", "and their loss", "%", at_most(0), 1, 100),
    PathRow("lossy_use", "100 Mbit/s, 40 ms, 1 % loss, BBR: the link in use", "%", at_least(0.80),
            1, 100),
    PathRow("lossy_rate", "and TCP's payload", "Mbit/s", None, 1, 1e-6),
    PathRow("lossy3_rate", "the same with 3 % loss: TCP's payload", "Mbit/s", of_wireguard(0.95), 1,
            1e-6),
    PathRow("beside_rate", "20 Mbit/s, 30 ms, 500 ms of buffer, CUBIC outside, then CUBIC inside",
            "Mbit/s", of_wireguard(0.8), 1, 1e-6),
    PathRow("beside_first_rate", "the same, CUBIC inside, then CUBIC outside", "Mbit/s",
            of_wireguard(0.8), 1, 1e-6),
    PathRow("turns_app", "100 Mbit/s, 40 ms, 1 % loss, 4 s of 10 Mbit/s and 4 s of all in turn: "
            "least second of the former", "%", at_least(0.97), 1, 100),
    PathRow("turns_greedy", "and the link in use in the latter", "%", at_least(0.80), 1, 100),
    PathRow("free_lossy", "40 ms, 1 % loss, BBR", "Mbit/s", of_wireguard(1), scale=1e-6),
    PathRow("free_clean", "40 ms, CUBIC", "Mbit/s", of_wireguard(0.95), scale=1e-6),
    PathRow("free_eight", "40 ms, 0.1 % loss, 8 times CUBIC", "Mbit/s", of_wireguard(0.9),
            scale=1e-6),
    PathRow("second_ping", "another client downloads, 40 ms away: a request's p95 above alone", "ms",
            at_most(0.010), 1, 1e3),
]


class Transfer:
    """TCP for so many seconds after a warm-up."""

    def __init__(self, run, seconds, streams=1, congestion="cubic", direction="up"):
        self._run = run
        self._seconds = seconds + WARM_UP_SECONDS
        self._server, command = iperf(run, direction, streams, seconds)
        command[command.index("--congestion") + 1] = congestion
        self._log = run.hosts.path("transfer.log")
        if os.path.exists(self._log):
            os.remove(self._log)  # of an earlier one in this run
        self._client = run.hosts.start("client", "transfer", *command, "--omit",
                                       str(WARM_UP_SECONDS))

    def __enter__(self):
        time.sleep(WARM_UP_SECONDS)
        self._begun = time.monotonic()
        self._carried_before = self._run.hosts.carried_bytes()
        return self

    def __exit__(self, *_):
        self._run.hosts.stop(self._client)
        self._run.hosts.stop(self._server)

    def use(self, rate):
        """How much of a path of so many bits per second carries packets, headers and all; waits
        until shortly before the end."""
        time.sleep(max(0, self._begun + self._run.seconds - 0.3 - time.monotonic()))
        carried = self._run.hosts.carried_bytes() - self._carried_before
        return 8 * carried / (time.monotonic() - self._begun) / rate

    def rate(self):
        """Bits per second that arrived after the warm-up; waits for the end."""
        try:
            self._client.wait(self._seconds + 30)
        except subprocess.TimeoutExpired as error:
            raise Failed("iperf3 does not end") from error
        with open(self._log, encoding="utf-8") as file:
            told = json.loads(file.read())
        if "error" in told:
            raise Failed(f"iperf3: {told['error']}")
        return told["end"]["sum_received"]["bits_per_second"]


def upload(run, streams=1, congestion="cubic", times=1):
    with Transfer(run, times * run.seconds, streams, congestion) as transfer:
        return transfer.rate()


def percentile(values, share):
    """Of values in order."""
    return values[min(len(values) - 1, int(share * len(values)))]


def measure_bloat(run):
    idle = ping(run, 100, 0.02)
    with Transfer(run, run.seconds) as transfer:
        loaded = ping(run, round(run.seconds / 0.02) - 25, 0.02)
        use, rate = transfer.use(20e6), transfer.rate()
    return {"bloat_ping": percentile(loaded, 0.95) - percentile(idle, 0.95),
            "bloat_use": use, "bloat_rate": rate}


def steady_flow(run, seconds):
    """Its one-way delays in order, and the share of its packets that got lost."""
    hosts, count = run.hosts, round(seconds * STEADY_PER_SECOND)
    log = hosts.path("steady.log")
    if os.path.exists(log):
        os.unlink(log)
    receiver = hosts.start("server", "steady", STEADY_FLOW, "receive", "5300", str(count))

    def told():
        with open(log, encoding="utf-8") as file:
            return file.read().splitlines()
    try:
        hosts.wait_for("steady_flow.py", lambda: "ready" in told())
        hosts.run("client", STEADY_FLOW, "send", run.vpn.address["server"], "5300", str(count),
                  str(STEADY_PER_SECOND), seconds=seconds + 20)
        receiver.wait(15)
        result = json.loads(told()[-1])
    finally:
        hosts.stop(receiver)
    if not result["delays"]:
        raise Failed("no packet of the steady flow arrived")
    return result["delays"], 1 - result["received"] / result["sent"]


def measure_steady(run):
    idle, _ = steady_flow(run, 2)
    with Transfer(run, run.seconds + 3, streams=8):
        loaded, lost = steady_flow(run, run.seconds)
    return {"steady_delay": percentile(loaded, 0.99) - percentile(idle, 0.99),
            "steady_loss": lost}


def measure_lossy(run):
    with Transfer(run, run.seconds, congestion="bbr") as transfer:
        return {"lossy_use": transfer.use(100e6), "lossy_rate": transfer.rate()}


def measure_lossy3(run):
    return {"lossy3_rate": upload(run, congestion="bbr")}


def measure_beside(run):
    return {"beside_rate": beside(run, ("outside", "inside"))}


def measure_beside_first(run):
    return {"beside_first_rate": beside(run, ("inside", "outside"))}


def beside(run, order):
    """Bits per second of a flow in the tunnel beside one outside; who comes first has the queue, and
    keeps it for longer than this lasts."""
    hosts = run.hosts
    server = hosts.start("server", "outside", "iperf3", "--server", "--one-off", "--port", "5202")
    hosts.wait_for("iperf3", lambda: hosts.run("server", "ss", "-Hltn", "sport = :5202") != "")
    outside = transfer = None
    try:
        for flow in order:
            if flow == "inside":
                transfer = Transfer(run, 2 * run.seconds)
            else:
                outside = hosts.start("client", "outside-client", "iperf3", "--client",
                                      ADDRESS["server"], "--port", "5202", "--congestion", "cubic",
                                      "--time", str(2 * run.seconds + 2 * WARM_UP_SECONDS))
            time.sleep(HEAD_START_SECONDS)
        with transfer:
            return transfer.rate()
    finally:
        if outside:
            hosts.stop(outside)
        hosts.stop(server)


def flood(run, bits_per_second, seconds):
    """Bits per second that arrived of UDP packets sent at this rate, and the share of them."""
    names = [run.hosts.namespace(host) for host in ("client", "server")]
    told = json.loads(run_here(os.path.join(BUILD, "qdt_pace"), *names, run.vpn.address["server"],
                               str(round(bits_per_second / 8 / FLOOD_BYTES)), str(seconds),
                               str(FLOOD_BYTES), seconds=seconds + 20))
    bits = 8 * FLOOD_BYTES * told["received"]
    return bits / seconds, told["received"] / told["planned"]


def measure_turns(run):
    seconds, greedy = [], []
    for _ in range(TURNS):
        seconds += [flood(run, 10e6, 1)[1] for _ in range(4)]
        greedy.append(flood(run, 125e6, 4)[0])
    # What carries them counts as in use.
    whole = (FLOOD_BYTES + 57) / FLOOD_BYTES
    return {"turns_app": min(seconds), "turns_greedy": statistics.mean(greedy) * whole / 100e6}


def measure_free_lossy(run):
    return {"free_lossy": upload(run, congestion="bbr")}


def measure_free_clean(run):
    return {"free_clean": upload(run)}


def measure_free_eight(run):
    # Some dozens of losses decide it: the longer, the less it is luck.
    return {"free_eight": upload(run, streams=8, times=3)}


def measure_two_clients(run):
    if not hasattr(run.vpn, "add_client"):
        raise Failed("a second client is not set up for it")
    run.vpn.add_client(run.hosts, "client2")
    run.hosts.wait_for("the second client", lambda: answers(run, "client2"))
    alone = ping(run, 40, 0.1, "client2")
    with Transfer(run, run.seconds, direction="down"):
        beside = ping(run, round(run.seconds / 0.1) - 5, 0.1, "client2")
    return {"second_ping": percentile(beside, 0.95) - percentile(alone, 0.95)}


def answers(run, host):
    try:
        return ping(run, 1, 1, host)
    except Failed:
        return False


@dataclass
class Case:
    name: str
    path: str  # options of qdt_linkem
    measure: Callable
    other_seconds: float = 0  # beside the start and the transfer


FREE = "--delay 20ms"
CASES = [
    Case("bloat", "--rate 20M --delay 15ms --queue 500ms", measure_bloat, other_seconds=3),
    Case("steady", "--rate 20M --delay 15ms --queue 500ms", measure_steady, other_seconds=3),
    Case("lossy", "--rate 100M --delay 20ms --queue 100ms --loss 0.01", measure_lossy),
    Case("lossy3", "--rate 100M --delay 20ms --queue 100ms --loss 0.03", measure_lossy3),
    Case("beside", "--rate 20M --delay 15ms --queue 500ms", measure_beside, other_seconds=15),
    Case("beside_first", "--rate 20M --delay 15ms --queue 500ms", measure_beside_first,
         other_seconds=15),
    Case("turns", "--rate 100M --delay 20ms --queue 100ms --loss 0.01", measure_turns,
         other_seconds=60),
    Case("free_lossy", f"{FREE} --loss 0.01", measure_free_lossy),
    Case("free_clean", FREE, measure_free_clean),
    Case("free_eight", f"{FREE} --loss 0.001", measure_free_eight, other_seconds=10),
    Case("two_clients", FREE, measure_two_clients, other_seconds=5),
]
