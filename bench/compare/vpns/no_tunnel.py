"""The cable by itself: what the machine can do."""

from hosts import ADDRESS
from path_hosts import SECOND_ADDRESS


class NoTunnel:
    name = "none"
    title = "no tunnel"
    is_peer = False
    programs = {}
    address = ADDRESS

    def start(self, hosts):
        return {}

    def add_client(self, hosts, host):
        return SECOND_ADDRESS
