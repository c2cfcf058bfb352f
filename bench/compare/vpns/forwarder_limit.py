"""No VPN: QDT's parts without a protocol, the limit of what one cipher over these devices can do."""

import os

from hosts import ADDRESS
from vpns.qdt import BUILD

PORT = 5000
# QDT's own over a cable of 1500 bytes.
TUNNEL_MTU = 1401


class ForwarderLimit:
    name = "limit"
    title = "bare forwarder"
    is_peer = False
    programs = {}
    address = {"client": "10.99.0.1", "server": "10.99.0.2"}

    def start(self, hosts):
        daemons = {}
        for host, other in (("server", "client"), ("client", "server")):
            daemons[host] = hosts.start(host, host, os.path.join(BUILD, "qdt_forwarder_limit"), "limit0",
                                        f"{ADDRESS[host]}:{PORT}", f"{ADDRESS[other]}:{PORT}")
            hosts.wait_for("limit0", lambda host=host: "limit0" in hosts.run(host, "ip", "-br", "link"))
            hosts.run(host, "ip", "address", "add", f"{self.address[host]}/24", "dev", "limit0")
            hosts.run(host, "ip", "link", "set", "limit0", "mtu", str(TUNNEL_MTU), "up")
        return daemons
