"""OpenVPN 2.6 over UDP with TLS, AES-256-GCM, without the kernel's help (DCO)."""

import re

from hosts import ADDRESS, run

COMMON = """\
dev tun
proto udp
topology subnet
disable-dco
data-ciphers AES-256-GCM
auth-nocache
verb 1
"""


class OpenVpn:
    name = "openvpn"
    title = "OpenVPN"
    is_peer = True
    programs = {"openvpn": "openvpn", "openssl": "openssl"}
    address = {"client": "10.9.0.2", "server": "10.9.0.1"}

    def start(self, hosts):
        identity = {host: self._make_identity(hosts, host) for host in ADDRESS}
        server = f"server 10.9.0.0 255.255.255.0\ndh none\n{trusting(identity, 'server', 'client')}"
        client = (f"client\nnobind\nremote {ADDRESS['server']} 1194\n"
                  f"{trusting(identity, 'client', 'server')}")
        return {host: hosts.start(host, host, "openvpn", "--config",
                                  hosts.write(host + ".conf", COMMON + lines))
                for host, lines in (("server", server), ("client", client))}

    @staticmethod
    def _make_identity(hosts, host):
        """A key and a self-signed certificate; the fingerprint that the other side trusts."""
        key, certificate = hosts.path(host + ".key"), hosts.path(host + ".crt")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", f"/CN={host}", "-keyout", key, "-out", certificate,
            "-addext", f"extendedKeyUsage={host}Auth")
        told = run("openssl", "x509", "-in", certificate, "-noout", "-sha256", "-fingerprint")
        return key, certificate, re.search("=(.*)", told).group(1)


def trusting(identity, host, other):
    key, certificate, _ = identity[host]
    return f"key {key}\ncert {certificate}\npeer-fingerprint {identity[other][2]}\n"
