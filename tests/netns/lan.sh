# shellcheck shell=bash disable=SC2034,SC2154  # variables for and of topology.sh
# Sourced by the tests of what stays outside a tunnel that takes everything: a private LAN beside the
# public one.

lan_address=192.168.77.1

# add_lan: client and router are in 192.168.77.0/24, too.
add_lan() {
  ip -n "$(ns client)" address add 192.168.77.2/24 dev eth0
  ip -n "$(ns router)" address add 192.168.77.1/24 dev cl1
}

# A program that insists on eth0, by its device or by its address, IPv4 and IPv6.
cat >"$work/insist.py" <<'END'
import socket, sys
def attempt(family, kind, address, source, device):
    with socket.socket(family, kind) as s:
        s.settimeout(0.4)
        try:
            if device: s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
            if source: s.bind((source, 0))
            s.connect((address, 8000))
            s.send(b"x"); s.recv(1)
            return "answered"
        except OSError as error:
            return error.strerror or "no answer"
for family, address, source in ((socket.AF_INET, "192.0.2.80", "198.51.100.2"),
                                (socket.AF_INET6, "2001:db8:3::80", "2001:db8:1::2")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for bound in ((source, b""), ("", b"eth0"), (source, b"eth0")):
            print(attempt(family, kind, address, *bound))
END
# insist HOST: tries all of it, and pings; what came of it is in $work/insist.log.
insist() {
  {
    on "$1" python3 "$work/insist.py"
    on "$1" ping -c 2 -i 0.2 -W 0.3 -I eth0 "$web_address"
    on "$1" ping -c 2 -i 0.2 -W 0.3 -I eth0 "$web_address6"
  } >"$work/insist.log" 2>&1 || true
}

route() { on client ip route get "$@" | head -n 1; }
logged() { grep -qF -- "$1" "$work/client.log"; }
