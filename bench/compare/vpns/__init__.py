"""What is compared, one file each. A VPN is a class with

    name       in VPNS and in the results
    title      in the table
    is_peer    whether the ratios of QDT are to it
    programs   that have to be installed: {program: Debian package}
    address    {"client": ..., "server": ...}: the addresses inside it
    start(hosts)  brings it up between hosts and returns the daemons, {"client": ..., "server": ...}
    add_client(hosts, host)  optional: one more, on another host; returns its address inside

Everything as its own defaults are, on every one of them.
"""

from vpns.forwarder_limit import ForwarderLimit
from vpns.nebula import Nebula
from vpns.no_tunnel import NoTunnel
from vpns.openvpn import OpenVpn
from vpns.qdt import PlainQdt, Qdt, QuicQdt
from vpns.wireguard_go import WireGuardGo

ALL = (NoTunnel, ForwarderLimit, Qdt, QuicQdt, PlainQdt, WireGuardGo, OpenVpn, Nebula)
