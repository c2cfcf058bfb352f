"""QDT of this tree, in the release build."""

import hashlib
import os
import ssl

from hosts import ADDRESS, run

TREE = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BUILD = os.environ.get("QDT_BUILD", os.path.join(TREE, "build", "release"))


class Qdt:
    name = "qdt"
    title = "QDT"
    is_peer = False
    programs = {"openssl": "openssl"}
    address = {"client": "10.8.0.2", "server": "10.8.0.1"}
    client_lines = ""

    def start(self, hosts):
        run(os.path.join(TREE, "scripts", "gen-cert.sh"), hosts.path("server.crt"),
            hosts.path("server.key"), ADDRESS["server"])
        with open(hosts.path("server.crt"), encoding="ascii") as file:
            certificate = ssl.PEM_cert_to_DER_cert(file.read())
        server = hosts.write("server.yaml", "token: benchmark-token-0123456789\n"
                             "tls_cert: server.crt\ntls_key: server.key\nlog_level: warn\n"
                             # The peers have no address translation either, and let clients
                             # reach what is measured.
                             "nat:\n  enabled: false\nhost_access: all\n")
        client = hosts.write("client.yaml", "token: benchmark-token-0123456789\n"
                             f"server: {ADDRESS['server']}:443\n"
                             f"tls_fingerprint: sha256:{hashlib.sha256(certificate).hexdigest()}\n"
                             f"route_mode: cidr\nlog_level: warn\n{self.client_lines}")
        daemons = {"server": hosts.start("server", "server", os.path.join(BUILD, "qdt-server"),
                                         "--config", server)}
        hosts.wait_for("qdt-server", lambda: is_listening(hosts))
        daemons["client"] = hosts.start("client", "client", os.path.join(BUILD, "qdt-client"),
                                        "--config", client)
        return daemons

    def add_client(self, hosts, host):
        """Another one, on a host of its own; returns its address inside."""
        hosts.start(host, host, os.path.join(BUILD, "qdt-client"), "--config",
                    hosts.path("client.yaml"))
        return "10.8.0.3"


class QuicQdt(Qdt):
    """Without the direct data plane."""

    name = "qdt-quic"
    title = "QDT, QUIC plane"
    client_lines = "data_plane: quic\n"


class PlainQdt(Qdt):
    """A client that offers no capabilities, as those of other makes do."""

    name = "qdt-v1"
    title = "QDT plain v1"
    client_lines = "caps: none\n"


def is_listening(hosts):
    return hosts.run("server", "ss", "-Hlun", "sport = :443") != ""
