"""wireguard-go: WireGuard as a program, as QDT is one. The kernel's own is another matter."""

import os

from hosts import ADDRESS, run


class WireGuardGo:
    name = "wireguard-go"
    title = "wireguard-go"
    is_peer = True
    programs = {"wireguard-go": "wireguard-go", "wg": "wireguard-tools"}
    address = {"client": "10.9.0.2", "server": "10.9.0.1"}

    def start(self, hosts):
        daemons = {host: self._start(hosts, host) for host in ADDRESS}
        self._introduce(hosts, "client", self.address["client"])
        for host in ADDRESS:
            self._set_up(hosts, host, self.address[host])
        return daemons

    def add_client(self, hosts, host):
        """Another one, on a host of its own; returns its address inside."""
        self._start(hosts, host)
        self._introduce(hosts, host, "10.9.0.3")
        self._set_up(hosts, host, "10.9.0.3")
        return "10.9.0.3"

    @staticmethod
    def _start(hosts, host):
        key = hosts.write(host + ".key", run("wg", "genkey"))
        hosts.write(host + ".pub", run("sh", "-c", 'wg pubkey <"$1"', "sh", key))
        daemon = hosts.start(host, host, "env", "LOG_LEVEL=error", "wireguard-go", "-f",
                             device(hosts, host))
        hosts.wait_for("wireguard-go", lambda: has_socket(hosts, host))
        options = ("listen-port", "51820") if host == "server" else ()
        hosts.run(host, "wg", "set", device(hosts, host), "private-key", key, *options)
        return daemon

    def _introduce(self, hosts, client, address):
        """A client and the server to each other."""
        def add_peer(host, other, allowed, *options):
            with open(hosts.path(other + ".pub"), encoding="ascii") as key:
                hosts.run(host, "wg", "set", device(hosts, host), "peer", key.read().strip(),
                          "allowed-ips", allowed + "/32", *options)
        add_peer("server", client, address)
        add_peer(client, "server", self.address["server"], "endpoint", f"{ADDRESS['server']}:51820")

    @staticmethod
    def _set_up(hosts, host, address):
        hosts.run(host, "ip", "address", "add", address + "/24", "dev", device(hosts, host))
        hosts.run(host, "ip", "link", "set", device(hosts, host), "up")


def device(hosts, host):
    """All namespaces share the folder of its control sockets: names of these hosts alone."""
    return f"q{host[0]}{host[-1]}{os.getpid()}.{hosts.number}"


def has_socket(hosts, host):
    return device(hosts, host) in hosts.run(host, "wg", "show", "interfaces").split()
