"""wireguard-go: WireGuard as a program, as QDT is one. The kernel's own is another matter."""

from hosts import ADDRESS, run


class WireGuardGo:
    name = "wireguard-go"
    title = "wireguard-go"
    is_peer = True
    programs = {"wireguard-go": "wireguard-go", "wg": "wireguard-tools"}
    address = {"client": "10.9.0.2", "server": "10.9.0.1"}

    def start(self, hosts):
        # All namespaces share the folder of its control sockets: names of this run alone.
        device = {host: f"q{host[0]}{hosts.namespace(host).split('-')[2]}" for host in ADDRESS}
        private, public, daemons = {}, {}, {}
        for host in ADDRESS:
            private[host] = run("wg", "genkey").strip()
            key = hosts.write(host + ".key", private[host])
            public[host] = run("sh", "-c", 'wg pubkey <"$1"', "sh", key).strip()
            daemons[host] = hosts.start(host, host, "env", "LOG_LEVEL=error", "wireguard-go", "-f",
                                        device[host])
        for host, other in (("client", "server"), ("server", "client")):
            config = f"[Interface]\nPrivateKey = {private[host]}\n"
            if host == "server":
                config += "ListenPort = 51820\n"
            config += (f"[Peer]\nPublicKey = {public[other]}\n"
                       f"AllowedIPs = {self.address[other]}/32\n")
            if host == "client":
                config += f"Endpoint = {ADDRESS[other]}:51820\n"
            hosts.wait_for("wireguard-go", lambda: has_socket(hosts, host, device[host]))
            hosts.run(host, "wg", "setconf", device[host], hosts.write(host + ".conf", config))
            hosts.run(host, "ip", "address", "add", self.address[host] + "/24", "dev", device[host])
            hosts.run(host, "ip", "link", "set", device[host], "up")
        return daemons


def has_socket(hosts, host, device):
    return device in hosts.run(host, "wg", "show", "interfaces").split()
