"""Two hosts, a cable between them, and what runs on them.

    client  198.51.100.1 ---- veth, MTU 1500 ---- 198.51.100.2  server

Network namespaces of this machine. Everything made here ends with close(): processes by their PID,
namespaces, files.
"""

import glob
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

ADDRESS = {"client": "198.51.100.1", "server": "198.51.100.2"}


class Failed(Exception):
    """What was tried, and why it did not work, in words for a person."""


class Hosts:
    """The hosts of one round of one VPN, fresh: nothing of an earlier one is in their way."""

    names = tuple(ADDRESS)
    _numbers = itertools.count()

    def __init__(self):
        self.number = next(self._numbers)  # of this process's
        self.folder = tempfile.mkdtemp(prefix=f"qdt-bench-{os.getpid()}-")
        self._processes = []
        self._inodes = {}

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def namespace(self, host):
        """What `ip netns` calls a host: unique, so that runs do not meet."""
        return f"qdt-bench-{os.getpid()}-{host}"

    def path(self, name):
        """A file that lasts as long as the hosts."""
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o600)
        return self.path(name)

    def run(self, host, *command, seconds=20):
        """Runs a command to its end and returns what it printed."""
        return run("ip", "netns", "exec", self.namespace(host), *command, seconds=seconds)

    def start(self, host, name, *command):
        """Starts a program, its output in the file NAME.log. Its PID is the program's own: ip
        and setpriv become it."""
        with open(self.path(name + ".log"), "ab") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", self.namespace(host),
                 *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        process.name = name
        self._processes.append(process)
        return process

    def stop(self, process):
        """Ends a program that start() started, gently at first."""
        for end, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            if process.poll() is None:
                process.send_signal(end)
                try:
                    process.wait(seconds)
                except subprocess.TimeoutExpired:
                    continue
        if process in self._processes:
            self._processes.remove(process)

    def wait_for(self, what, is_so, seconds=15):
        """Until is_so() says so; the programs that were started have to stay alive meanwhile."""
        deadline = time.monotonic() + seconds
        while not is_so():
            gone = [p for p in self._processes if p.poll() is not None]
            if gone or time.monotonic() > deadline:
                why = f"the {gone[0].name} program has ended" if gone else f"not within {seconds} s"
                raise Failed(f"{what}: {why}{self.last_words()}")
            time.sleep(0.05)

    def last_words(self, lines=5):
        """The ends of the logs, to be shown with a failure."""
        text = ""
        for name in sorted(os.listdir(self.folder)):
            if not name.endswith(".log"):
                continue
            with open(self.path(name), encoding="utf-8", errors="replace") as log:
                last = [line.strip() for line in log.read().splitlines() if line.strip()][-lines:]
            text += "".join(f"\n    {name[:-4]}: {line}" for line in last)
        return text

    def switch_offloads_off(self):
        """The cable carries every packet by itself from now on, as a network card without
        segmentation and receive offload does."""
        for host in self.names:
            self.run(host, "ethtool", "-K", "eth0", "tso", "off", "gso", "off", "gro", "off",
                     "tx-udp-segmentation", "off")

    def close(self):
        # Who is impatient waits: half of it would be left behind.
        signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        try:
            self._close()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)

    def _close(self):
        for process in reversed(list(self._processes)):
            self.stop(process)
        for host in self.names:
            name = self.namespace(host)
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL, check=False)
            shutil.rmtree(f"/etc/netns/{name}", ignore_errors=True)
        if os.path.isdir("/run/qdt"):
            # Of a QDT that had to be killed: another namespace may get the number.
            for name in os.listdir("/run/qdt"):
                if name.endswith(".undo") and name.split(".")[-2] in self._inodes.values():
                    os.unlink(os.path.join("/run/qdt", name))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self):
        for host in self.names:
            name = self.namespace(host)
            # A host has a resolv.conf of its own, which a VPN may write to.
            os.makedirs(f"/etc/netns/{name}")
            with open(f"/etc/netns/{name}/resolv.conf", "w", encoding="utf-8") as file:
                file.write("nameserver 127.0.0.53\n")
            run("ip", "netns", "add", name)
            self._inodes[host] = str(os.stat(f"/run/netns/{name}").st_ino)
            run("ip", "-n", name, "link", "set", "lo", "up")
        self._lay_cables()

    def _lay_cables(self):
        self.lay_cable(("client", "eth0"), ("server", "eth0"))
        for host, address in ADDRESS.items():
            run("ip", "-n", self.namespace(host), "address", "add", address + "/24", "dev", "eth0")

    def lay_cable(self, *ends):
        """Between two (host, interface), which are up then."""
        (host, interface), (other, other_interface) = ends
        run("ip", "link", "add", interface, "mtu", "1500", "netns", self.namespace(host),
            "type", "veth", "peer", "name", other_interface, "mtu", "1500", "netns",
            self.namespace(other))
        for end, name in ends:
            run("ip", "-n", self.namespace(end), "link", "set", name, "up")


def clear_away_the_dead():
    """What runs left behind that were killed before they could clean up."""
    for pattern in ("/run/netns/qdt-bench-*", "/etc/netns/qdt-bench-*",
                    os.path.join(tempfile.gettempdir(), "qdt-bench-*")):
        for path in glob.glob(pattern):
            owner = re.match(r"qdt-bench-(\d+)-", os.path.basename(path))
            if not owner or os.path.exists(f"/proc/{owner[1]}"):
                continue
            if path.startswith("/run/netns/"):
                run("ip", "netns", "delete", os.path.basename(path))
            else:
                shutil.rmtree(path, ignore_errors=True)


def run(*command, seconds=20):
    """Runs a command of this machine and returns what it printed."""
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=seconds, start_new_session=True, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(command)}: not done within {seconds} s") from error
    if result.returncode != 0:
        # iperf3 --json tells its errors on standard output.
        words = (result.stderr.strip() or result.stdout.strip())[-300:]
        raise Failed(f"{' '.join(command)}: {words}")
    return result.stdout
