#!/usr/bin/env python3
"""QDT beside other VPNs, on two hosts made of network namespaces on this machine.

Interleaved: each round brings every VPN up once and takes every measurement, so that what the
machine does meanwhile is shared fairly. The table has the medians of the rounds."""

import argparse
import datetime
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # pylint: disable=wrong-import-position

import report
import vpns
from hosts import Failed, Hosts, clear_away_the_dead, run
from measuring import MEASUREMENTS, Run, expected_seconds
from path_report import path_cells
from path_hosts import PathHosts
from paths import CASES, LINKEM, WARM_UP_SECONDS
from shares import measure_shares
from vpns.qdt import BUILD, TREE

SECONDS_TO_START = 4
# Those that the aims are about. A case takes a quarter of a minute for each VPN.
PATH_VPNS = "none qdt qdt-quic wireguard-go"
PATH_ROUNDS = 2


def parse_arguments():
    names = [vpn.name for vpn in vpns.ALL]
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0],
                                     epilog="Each option may be given to make as well: make bench "
                                     "VPNS=\"qdt wireguard-go\" ROUNDS=1 SECONDS_PER_TEST=2")
    environment = os.environ.get
    cases = [case.name for case in CASES]
    rows = [*MEASUREMENTS, "shares", "paths"]
    parser.add_argument("--vpns", default=environment("VPNS"),
                        help=f"which, of: {' '.join(names)}; all, but on the paths {PATH_VPNS}")
    parser.add_argument("--rounds", type=int, default=int(environment("ROUNDS") or 3))
    parser.add_argument("--seconds", type=float, help="for each transfer",
                        default=float(environment("SECONDS_PER_TEST") or 5))
    parser.add_argument("--rows", default=environment("ROWS") or " ".join(rows),
                        help=f"which measurements, of: {' '.join(rows)}")
    parser.add_argument("--cases", default=environment("CASES") or " ".join(cases),
                        help=f"which paths, of: {' '.join(cases)}")
    parser.add_argument("--json", default=environment("JSON") or
                        os.path.join(TREE, "build", "bench", "compare.json"), metavar="FILE",
                        help="where the results go")
    parser.add_argument("--docs", default=environment("DOCS"), metavar="FILE",
                        help="a document whose generated sections are to show these results")
    arguments = parser.parse_args()
    arguments.path_vpns = (arguments.vpns or PATH_VPNS).split()
    arguments.vpns = arguments.vpns or " ".join(names)
    for name in ("vpns", "rows", "cases"):
        setattr(arguments, name, getattr(arguments, name).split())
    for given, known in ((arguments.vpns, names), (arguments.rows, rows),
                         (arguments.cases, cases)):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"not known: {' '.join(unknown)}; there are: {' '.join(known)}")
    if arguments.docs and not os.path.exists(arguments.docs):
        parser.error(f"{arguments.docs} does not exist")
    return arguments


class Progress:
    """Lines on standard error, with the time that is left."""

    def __init__(self, seconds):
        self.expected = seconds
        self.done = 0
        self.begun = time.monotonic()

    def say(self, words):
        elapsed = time.monotonic() - self.begun
        # By how much the estimate was wrong so far.
        pace = elapsed / self.done if self.done > 20 else 1
        left = max(0, self.expected - self.done) * pace
        print(f"[{left // 60:2.0f}:{left % 60:02.0f} left] {words}", file=sys.stderr, flush=True)

    def has_done(self, seconds):
        self.done += seconds


class Comparison:
    def __init__(self, arguments):
        self.arguments = arguments
        self.measurements = [name for name in MEASUREMENTS if name in arguments.rows]
        self.has_shares = "shares" in arguments.rows and "qdt" in arguments.vpns
        self.cases = [case for case in CASES
                      if "paths" in arguments.rows and case.name in arguments.cases]
        self.path_rounds = min(PATH_ROUNDS, arguments.rounds)
        self.path_vpns = []
        self.vpns = []
        self.results = {
            "machine": report.machine(), "busy_before": report.busy_share(2),
            "date": datetime.date.today().isoformat(), "commit": commit(),
            "rounds": arguments.rounds, "seconds": arguments.seconds, "versions": {},
            "failures": [], "vpns": {}, "paths": {}}
        self.progress = Progress(0)

    def run(self):
        for vpn in vpns.ALL:
            if vpn.name in self.arguments.vpns:
                self._admit(vpn())
        self.path_vpns = [vpn for vpn in self.vpns if vpn.name in self.arguments.path_vpns]
        if not self.measurements:
            self.vpns = []
        self.progress = Progress(self.arguments.rounds * len(self.vpns) * self._round_seconds() +
                                 (self._shares_seconds() if self.has_shares else 0) +
                                 self.path_rounds * self._paths_seconds())
        for number in range(1, self.arguments.rounds + 1):
            for vpn in self.vpns:
                self._measure(vpn, f"round {number}/{self.arguments.rounds}, {vpn.title}")
        if self.has_shares:
            self._measure_shares()
        for number in range(1, self.path_rounds + 1):
            for case in self.cases:
                for vpn in self.path_vpns:
                    self._measure_path(
                        case, vpn, f"round {number}/{self.path_rounds}, {vpn.title}, {case.name}")
        report.summarize(self.results)
        return self.results

    def _admit(self, vpn):
        """Only what is installed takes part."""
        missing = {program: package for program, package in vpn.programs.items()
                   if not shutil.which(program)}
        if missing:
            return self._note(f"{vpn.title} was left out: it needs "
                              f"{', '.join(missing)} (packages {', '.join(set(missing.values()))})")
        self.vpns.append(vpn)
        self.results["vpns"][vpn.name] = {"rounds": {}}
        if vpn.is_peer:
            self.results["versions"][vpn.name] = version(next(iter(vpn.programs.values())))
        return None

    def _measure(self, vpn, words):
        expected = {name: expected_seconds(name, self.arguments.seconds)
                    for name in self.measurements}
        rounds = self.results["vpns"][vpn.name]["rounds"]
        previous = {key: values[-1] for key, values in rounds.items()}
        try:
            with Hosts() as hosts:
                self.progress.say(f"{words}: starts")
                started = self._start(vpn, hosts, previous)
                self.progress.has_done(SECONDS_TO_START)
                for name in self.measurements:
                    self.progress.say(f"{words}: {name}")
                    try:
                        for key, value in MEASUREMENTS[name](started).items():
                            rounds.setdefault(key, []).append(value)
                    except Failed as failure:
                        self._note(f"{words}: {name}: {failure}")
                    self.progress.has_done(expected.pop(name))
        except Failed as failure:
            self._note(f"{words}: {failure}")
            self.progress.has_done(sum(expected.values()))

    def _measure_shares(self):
        if not shutil.which("perf"):
            return self._note("No profile: it needs perf (package linux-perf)")
        self.progress.say("QDT: shares")
        try:
            with Hosts() as hosts:
                started = self._start(vpns.Qdt(), hosts, {})
                self.results["shares"] = measure_shares(started)
        except Failed as failure:
            self._note(f"QDT: shares: {failure}")
        return None

    def _measure_path(self, case, vpn, words):
        # Of each anew: with one seed for all, whoever was lucky once would be so in every round.
        seed = random.randrange(2**31)
        self.progress.say(f"{words}, seed {seed}")
        values = self.results["paths"].setdefault(vpn.name, {})
        try:
            with PathHosts(LINKEM, case.path.split(), seed) as hosts:
                for key, value in case.measure(self._start(vpn, hosts, {})).items():
                    values.setdefault(key, []).append(value)
        except Failed as failure:
            self._note(f"{words}: {failure}")
        self.progress.has_done(self._case_seconds(case))

    def _start(self, vpn, hosts, previous):
        daemons = vpn.start(hosts)
        answers = ("ping", "-n", "-c", "1", "-W", "1", vpn.address["server"])
        hosts.wait_for(f"{vpn.title} does not come up", lambda: succeeds(hosts, answers))
        # Path MTU discovery, and whatever else a VPN does in its first seconds.
        hosts.run("client", "ping", "-n", "-q", "-c", "20", "-i", "0.1", vpn.address["server"])
        return Run(hosts, vpn, daemons, self.arguments.seconds, previous)

    def _round_seconds(self):
        return SECONDS_TO_START + sum(expected_seconds(name, self.arguments.seconds)
                                      for name in self.measurements)

    def _shares_seconds(self):
        return SECONDS_TO_START + 2 * self.arguments.seconds + 5

    def _case_seconds(self, case):
        return SECONDS_TO_START + WARM_UP_SECONDS + self.arguments.seconds + case.other_seconds

    def _paths_seconds(self):
        return len(self.path_vpns) * sum(map(self._case_seconds, self.cases))

    def _note(self, words):
        self.results["failures"].append(words.split("\n")[0])
        print(f"bench: {words}", file=sys.stderr, flush=True)


def succeeds(hosts, command):
    try:
        hosts.run("client", *command)
    except Failed:
        return False
    return True


def version(package):
    """Of a Debian package."""
    try:
        return run("dpkg-query", "-W", "-f", "${Version}", package)
    except Failed:
        return ""


def commit():
    command = ["git", "-C", TREE, "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    arguments = parse_arguments()
    if os.geteuid() != 0:
        sys.exit("bench: it makes network namespaces: run it as root")
    for name in ("qdt-server", "qdt-client", "qdt_pace", "qdt_linkem"):
        if not os.path.exists(os.path.join(BUILD, name)):
            sys.exit(f"bench: {name} is not built: run make bench")
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, interrupt)
    try:
        clear_away_the_dead()
        results = Comparison(arguments).run()
    except KeyboardInterrupt:
        print("bench: stopped; nothing is left behind", file=sys.stderr)
        sys.exit(130)
    report.save(results, arguments.json)
    if arguments.rows != ["paths"]:
        print(report.as_text(report.cells(results)), end="\n\n")
    if results["paths"]:
        print(report.as_text(path_cells(results["paths"])), end="\n\n")
    if results.get("shares"):
        print("Where QDT's time goes", report.as_text(report.share_cells(results["shares"])),
              sep="\n", end="\n\n")
    print(*report.notes(results), sep="\n")
    print(f"All of it: {os.path.relpath(arguments.json)}")
    if arguments.docs:
        report.refresh(arguments.docs, results)
        print(f"{arguments.docs} shows these results now.")


main()
