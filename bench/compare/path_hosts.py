"""Hosts on a path that is worse than a cable, made by qdt_linkem.

    client   198.51.100.1 ==== path ==== switch ---- 198.51.100.2  server
    client2  198.51.100.3 ----------------

The second client has a short way of its own: what it waits for is the server.
"""

import json
import os

from hosts import ADDRESS, Hosts, run

ETHERNET_BYTES = 14
SECOND_ADDRESS = "198.51.100.3"


class PathHosts(Hosts):
    """`options` are those of qdt_linkem. One direction of the path is as the other. The `seed` is of
    what it leaves to chance: which packets are lost, say."""

    names = ("client", "client2", "server", "path")

    def __init__(self, linkem, options, seed):
        super().__init__()
        self._linkem = linkem
        self._options = (*options, "--seed", str(seed))

    def _lay_cables(self):
        path = self.namespace("path")
        self.lay_cable(("path", "to_switch"), ("path", "uplink"))
        run("ip", "-n", path, "link", "add", "switch", "type", "bridge")
        self.lay_cable(("client", "eth0"), ("path", "to_client"))
        self.lay_cable(("client2", "eth0"), ("path", "to_client2"))
        self.lay_cable(("server", "eth0"), ("path", "to_server"))
        for port in ("to_switch", "to_client2", "to_server"):
            run("ip", "-n", path, "link", "set", port, "master", "switch")
        run("ip", "-n", path, "link", "set", "switch", "up")
        for host, address in {**ADDRESS, "client2": SECOND_ADDRESS}.items():
            run("ip", "-n", self.namespace(host), "address", "add", address + "/24", "dev", "eth0")
        # It carries packets, not what a card would cut into packets later.
        for host, interface in (("client", "eth0"), ("client2", "eth0"), ("server", "eth0"),
                                ("path", "to_client2"), ("path", "to_server")):
            self.run(host, "ethtool", "-K", interface, "tso", "off", "gso", "off", "gro", "off",
                     "tx-udp-segmentation", "off")
        self.start("path", "linkem", self._linkem, "to_client", "uplink", *self._options)
        self.wait_for("qdt_linkem", lambda: "ready" in self._told())

    def _told(self):
        if not os.path.exists(self.path("linkem.log")):
            return ""
        with open(self.path("linkem.log"), encoding="utf-8") as log:
            return log.read()

    def carried_bytes(self):
        """Of IP packets that the path has brought from the client so far."""
        told = json.loads(run("ip", "-n", self.namespace("path"), "-json", "-statistics", "link",
                              "show", "dev", "uplink"))
        sent = told[0]["stats64"]["tx"]
        return sent["bytes"] - ETHERNET_BYTES * sent["packets"]
