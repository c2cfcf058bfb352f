#!/usr/bin/env python3
"""What a server bears: qdt-load's clients against it, and what they cost. `make bench-load`.

    python3 bench/compare/load.py [--clients N] [--seconds S] [ROW...]

Rows: sessions, storm, control, handshakes, churn, greedy, floods. The server has a host of its own (a
network namespace), all clients another, both on the same processors: what the clients need is not on the
server's account.
"""

import argparse
import hashlib
import json
import os
import re
import ssl
import statistics
import sys
import time

import floods
from hosts import ADDRESS, Failed, Hosts, clear_away_the_dead, run
from vpns.qdt import BUILD, TREE, is_listening

TICKS = os.sysconf("SC_CLK_TCK")
OUTER = "10.200.0.0/15"  # the clients' addresses: 131,070
TOKEN = "token: benchmark-token-0123456789\n"
SERVER = """\
tls_cert: server.crt
tls_key: server.key
log_level: warn
pool_cidr: 10.64.0.0/16
host_access: all
handshake_rate:
  pps: 5000
handshake_ip_rate:
  pps: 0
metrics_addr: 127.0.0.1:9435
"""
METRICS = """
import time, urllib.request
begun = time.monotonic()
urllib.request.urlopen("http://127.0.0.1:9435/metrics", timeout=10).read()
print(time.monotonic() - begun)
"""


class Server:
    """A qdt-server with room for many, and what it takes of the machine."""

    def __init__(self, hosts, nat=False):
        self.hosts = hosts
        hosts.run("client", "ip", "route", "add", "local", OUTER, "dev", "lo")
        hosts.run("server", "ip", "route", "add", OUTER, "via", ADDRESS["client"])
        run(os.path.join(TREE, "scripts", "gen-cert.sh"), hosts.path("server.crt"),
            hosts.path("server.key"), ADDRESS["server"])
        with open(hosts.path("server.crt"), encoding="ascii") as file:
            certificate = hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()
        self.client = hosts.write("client.yaml", f"{TOKEN}server: {ADDRESS['server']}:443\n"
                                  f"tls_fingerprint: sha256:{certificate}\n"
                                  "route_mode: cidr\nlog_level: warn\n")
        self.process = hosts.start("server", "server", os.path.join(BUILD, "qdt-server"),
                                   "--config", hosts.write("server.yaml", TOKEN + SERVER +
                                                           f"nat:\n  enabled: {str(nat).lower()}\n"))
        hosts.wait_for("qdt-server", lambda: is_listening(hosts))
        # The process that was started looks after the host; the other one carries packets.
        children = run("ps", "--no-headers", "-o", "pid", "--ppid", str(self.process.pid))
        self.pids = [self.process.pid, *(int(pid) for pid in children.split())]

    def memory(self):
        """Resident, in MiB, of all its processes."""
        return sum(self._memory_of(pid) for pid in self.pids)

    @staticmethod
    def _memory_of(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024

    def processor_seconds(self):
        seconds = 0.0
        for pid in self.pids:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            seconds += (int(fields[11]) + int(fields[12])) / TICKS
        return seconds

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids)

    def host_state(self):
        """Rules and routes, in lines: what sessions must not leave behind."""
        rules = self.hosts.run("server", "nft", "list", "ruleset").count("\n")
        return rules + self.hosts.run("server", "ip", "route", "show", "table", "all").count("\n")

    def metrics_seconds(self):
        """How long /metrics takes."""
        return float(self.hosts.run("server", "python3", "-c", METRICS))

    def metric(self, name):
        text = self.hosts.run("server", "curl", "-sS", "http://127.0.0.1:9435/metrics")
        return float(re.search(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)[1])

    def command(self, *words):
        """What a command of qdt-server's prints, and how long it takes as a whole."""
        begun = time.monotonic()
        text = self.hosts.run("server", os.path.join(BUILD, "qdt-server"), *words)
        return text, time.monotonic() - begun

    def renew_certificate(self):
        for name in ("server.crt", "server.key"):
            os.unlink(self.hosts.path(name))
        run(os.path.join(TREE, "scripts", "gen-cert.sh"), self.hosts.path("server.crt"),
            self.hosts.path("server.key"), ADDRESS["server"])


class Load:
    """qdt-load, running beside what is measured."""

    def __init__(self, hosts, config, clients, rate, seconds, *more):
        self.hosts = hosts
        self.clients = clients
        self.out = hosts.path("load.json")
        self.progress = hosts.path("load.log")
        # Elsewhere it has processors of its own: here it takes what server and measured client leave.
        self.process = hosts.start("client", "load", "sh", "-c", 'exec nice -n 19 "$@" >"$0"',
                                   self.out, os.path.join(BUILD, "qdt-load"), "--config", config,
                                   "--clients", str(clients), "--rate", str(rate), "--from", OUTER,
                                   "--for", f"{round(1e3 * seconds)}ms", "--json", *more)

    def last_line(self):
        with open(self.progress, encoding="utf-8") as file:
            lines = file.read().splitlines()
        return lines[-1] if lines else ""

    def wait_until_up(self, seconds):
        self.hosts.wait_for(f"{self.clients} clients",
                            lambda: self.last_line().startswith(f"{self.clients} of "), seconds)

    def result(self, seconds):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise Failed(f"qdt-load: not done within {seconds} s{self.hosts.last_words()}")
            time.sleep(0.1)
        with open(self.out, encoding="utf-8") as file:
            text = file.read()
        if not text:
            raise Failed(f"qdt-load: no result{self.hosts.last_words()}")
        return json.loads(text)


def milliseconds(seconds):
    return f"{1e3 * seconds:.1f} ms"


def row_sessions(hosts, arguments):
    """Many sessions, each one packet a second each way."""
    server = Server(hosts)
    empty = server.memory()
    load = Load(hosts, server.client, arguments.clients, 400, arguments.seconds)
    load.wait_until_up(60 + arguments.clients / 100)
    up = server.memory()
    begun, used = time.monotonic(), server.processor_seconds()
    time.sleep(arguments.seconds / 2)
    answered = server.metrics_seconds()
    time.sleep(arguments.seconds / 2 - answered if arguments.seconds / 2 > answered else 0)
    share = (server.processor_seconds() - used) / (time.monotonic() - begun)
    end = server.memory()
    result = load.result(60)
    echoes = result["echoes"]
    yield "sessions up, and lost meanwhile", f"{result['up']}, {result['sessions_lost']}"
    yield "echoes lost", f"{echoes['lost']} of {echoes['sent']}"
    yield "an echo's p50, p99", (f"{milliseconds(echoes['time']['p50'])}, "
                                 f"{milliseconds(echoes['time']['p99'])}")
    yield "the server's memory: empty, all up, at the end", f"{empty:.0f}, {up:.0f}, {end:.0f} MiB"
    yield "and for each session", f"{1024 * (end - empty) / arguments.clients:.1f} KiB"
    yield "the server's share of a processor", f"{100 * share:.0f} %"
    yield "/metrics with all of them", milliseconds(answered)


def row_storm(hosts, arguments):
    """All clients at once, as after a restart of the server, until all are up."""
    server = Server(hosts)
    begun, used = time.monotonic(), server.processor_seconds()
    load = Load(hosts, server.client, arguments.clients, arguments.clients, arguments.seconds)
    load.wait_until_up(60 + arguments.clients / 20)
    yield "all up after", f"{time.monotonic() - begun:.1f} s"
    yield "the server's time of a processor", f"{server.processor_seconds() - used:.1f} s"
    result = load.result(60 + arguments.seconds)
    done = result["handshakes"]
    yield "handshakes done, failed", f"{done['done']}, {done['failed']}"
    yield "p50, p99", f"{milliseconds(done['time']['p50'])}, {milliseconds(done['time']['p99'])}"
    yield "sessions lost meanwhile", f"{result['sessions_lost']}"
    yield "echoes lost", f"{result['echoes']['lost']} of {result['echoes']['sent']}"


def row_control(hosts, arguments):
    """A server of many sessions, with traffic, is asked and told things."""
    server = Server(hosts)
    load = Load(hosts, server.client, arguments.clients, 400, 45)
    load.wait_until_up(60 + arguments.clients / 100)
    time.sleep(25)  # the turns of the handshakes are no longer the longest
    quiet = server.metric("qdt_turn_seconds")
    listed, metrics, kicked = [], [], []
    for _ in range(5):
        text, seconds = server.command("status", "--json")
        listed.append(seconds)
        metrics.append(server.metrics_seconds())
        victim = json.loads(text)["sessions"][len(kicked)]["id"]
        kicked.append(server.command("kick", victim)[1])
        if victim in server.command("status", "--json")[0]:
            raise Failed(f"kick: session {victim} is still there")
    asked = server.metric("qdt_turn_seconds")
    server.renew_certificate()
    reloaded = server.command("reload")[1]
    result = load.result(60)
    echoes = result["echoes"]
    yield "status --json, as a command", f"{milliseconds(max(listed))} at most"
    yield "/metrics", f"{milliseconds(max(metrics))} at most"
    yield "kick, as a command", f"{milliseconds(max(kicked))} at most"
    yield "reload with a new certificate, as a command", milliseconds(reloaded)
    yield "a shard's longest turn before, and meanwhile", (f"{milliseconds(quiet)}, "
                                                           f"{milliseconds(asked)}")
    yield "sessions kicked, lost", f"{len(kicked)}, {result['sessions_lost']}"
    yield "echoes lost", f"{echoes['lost']} of {echoes['sent']}"


def row_handshakes(hosts, arguments):
    """Sessions that end and begin again, as fast as that goes, and half as fast."""
    server = Server(hosts)
    for rate in (arguments.handshakes, arguments.handshakes // 2):
        load = Load(hosts, server.client, 1000, rate, arguments.seconds, "--churn", str(rate),
                    "--echoes", "0", "--name", f"load{rate}")
        result = load.result(120 + arguments.seconds)
        done = result["handshakes"]
        yield f"asked {rate}/s: done", f"{done['per_second']:.0f}/s, {done['failed']} failed"
        yield "p50, p99", (f"{milliseconds(done['time']['p50'])}, "
                           f"{milliseconds(done['time']['p99'])}")


def row_churn(hosts, arguments):
    """100 sessions a second that end and begin again, beside 2,000."""
    server = Server(hosts)
    load = Load(hosts, server.client, 2000, 400, arguments.seconds, "--churn", "100")
    load.wait_until_up(60)
    seen = []
    for _ in range(7):  # from the third on they are of the last two thirds
        seen.append((server.memory(), server.descriptors(), server.host_state()))
        time.sleep(arguments.seconds / 7.1)
    result = load.result(60)
    yield "sessions ended and begun, lost", f"{result['churned']}, {result['sessions_lost']}"
    yield "the server's memory, by turns", ", ".join(f"{one[0]:.0f}" for one in seen) + " MiB"
    yield "its descriptors", ", ".join(str(one[1]) for one in seen)
    yield "lines of rules and routes on its host", ", ".join(str(one[2]) for one in seen)


def row_greedy(hosts, arguments):
    """A real client that takes all it gets, alone and beside idle sessions."""
    server = Server(hosts)
    start_client(hosts, server)
    alone = greedy(hosts)
    load = Load(hosts, server.client, arguments.clients - 1, 400, 40, "--echoes", "0")
    load.wait_until_up(60 + arguments.clients / 100)
    beside = greedy(hosts)
    load.result(90)
    yield "alone", f"{alone[0]:.0f} Mbit/s, ping p99 {milliseconds(alone[1])}"
    yield f"beside {arguments.clients - 1}", (f"{beside[0]:.0f} Mbit/s, ping p99 "
                                              f"{milliseconds(beside[1])}")
    yield "ratios", f"{beside[0] / alone[0]:.2f}, {beside[1] / alone[1]:.2f}"


def row_floods(hosts, arguments):
    """50,000 payloads of strangers a second beside a real client that takes all it gets."""
    # As in a server by default, its host keeps a table of connections for the translation.
    server = Server(hosts, nat=True)
    start_client(hosts, server)
    yield from floods.measure(hosts, server, arguments.rounds)


def start_client(hosts, server):
    """A real one, and iperf3 at the server's inner address."""
    hosts.start("client", "client", os.path.join(BUILD, "qdt-client"), "--config", server.client)
    hosts.wait_for("the client's device",
                   lambda: "inet 10.64." in hosts.run("client", "ip", "address"))
    hosts.start("server", "iperf3", "iperf3", "--server", "--bind", "10.64.0.1")
    hosts.wait_for("iperf3", lambda: hosts.run("server", "ss", "-Hltn", "sport = :5201") != "")


def greedy(hosts):
    """Megabits per second of a TCP stream down, and the p99 of pings when idle, the median of five:
    whatever else the machine does for a moment is in one or two."""
    flow = json.loads(hosts.run("client", "iperf3", "--client", "10.64.0.1", "--reverse", "--json",
                                "--time", "4", seconds=30))
    return flow["end"]["sum_received"]["bits_per_second"] / 1e6, statistics.median(
        ping_p99(hosts) for _ in range(5))


def ping_p99(hosts):
    pings = hosts.run("client", "ping", "-n", "-i", "0.005", "-c", "400", "10.64.0.1", seconds=30)
    times = sorted(float(one) / 1e3 for one in re.findall(r"time=([\d.]+)", pings))
    return times[int(0.99 * len(times))]


ROWS = {"sessions": row_sessions, "storm": row_storm, "control": row_control,
        "handshakes": row_handshakes, "churn": row_churn, "greedy": row_greedy,
        "floods": row_floods}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS) + "; default: all")
    parser.add_argument("--clients", type=int, default=10000,
                        help="of sessions, storm, control and greedy [10000]")
    parser.add_argument("--seconds", type=float, default=20, help="how long each row stays up [20]")
    parser.add_argument("--handshakes", type=int, default=800, help="per second, at most [800]")
    parser.add_argument("--rounds", type=int, default=5, help="of floods [5]")
    arguments = parser.parse_args()
    unknown = [row for row in arguments.rows if row not in ROWS]
    if unknown:
        parser.error(f"no row {unknown[0]}; there are {', '.join(ROWS)}")
    if os.geteuid() != 0:
        sys.exit("bench: it makes network namespaces: run it as root")
    clear_away_the_dead()
    status = 0
    for row in arguments.rows or ROWS:
        print(f"{row}: {ROWS[row].__doc__}", flush=True)
        try:
            with Hosts() as hosts:
                for what, figure in ROWS[row](hosts, arguments):
                    print(f"  {what:<50} {figure}", flush=True)
        except Failed as error:
            print(f"  {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("bench: stopped; nothing is left behind", file=sys.stderr)
        sys.exit(130)
