"""Nebula: the server is the lighthouse; a firewall that lets everything through."""

from hosts import ADDRESS, run


class Nebula:
    name = "nebula"
    title = "Nebula"
    is_peer = True
    programs = {"nebula": "nebula", "nebula-cert": "nebula"}
    address = {"client": "10.9.0.2", "server": "10.9.0.1"}

    def start(self, hosts):
        run("nebula-cert", "ca", "-name", "benchmark", "-out-crt", hosts.path("ca.crt"),
            "-out-key", hosts.path("ca.key"))
        return {host: self._start(hosts, host) for host in ("server", "client")}

    def _start(self, hosts, host):
        run("nebula-cert", "sign", "-name", host, "-ip", self.address[host] + "/24",
            "-ca-crt", hosts.path("ca.crt"), "-ca-key", hosts.path("ca.key"),
            "-out-crt", hosts.path(host + ".crt"), "-out-key", hosts.path(host + ".key"))
        is_server = host == "server"
        config = f"""\
pki: {{ca: {hosts.path('ca.crt')}, cert: {hosts.path(host)}.crt, key: {hosts.path(host)}.key}}
static_host_map: {{"{self.address['server']}": ["{ADDRESS['server']}:4242"]}}
lighthouse:
  am_lighthouse: {str(is_server).lower()}
  hosts: [{'' if is_server else '"' + self.address['server'] + '"'}]
listen: {{host: 0.0.0.0, port: {4242 if is_server else 0}}}
tun: {{dev: nebula1}}
logging: {{level: warning}}
firewall:
  outbound: [{{port: any, proto: any, host: any}}]
  inbound: [{{port: any, proto: any, host: any}}]
"""
        return hosts.start(host, host, "nebula", "-config", hosts.write(host + ".yml", config))
