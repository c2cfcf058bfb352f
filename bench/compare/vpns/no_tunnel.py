"""The cable by itself: what the machine can do."""

from hosts import ADDRESS


class NoTunnel:
    name = "none"
    title = "no tunnel"
    is_peer = False
    programs = {}
    address = ADDRESS

    def start(self, hosts):
        return {}
