#!/usr/bin/env bash
# Connections that come in from outside are answered outside: TCP, UDP, ICMP, IPv6, a forwarded port;
# not with kill_switch, not with lan: off. Nobody opens a way around the tunnel for the client's own
# connections by forging a packet from outside.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
add_host box
join client box0 172.30.0.1/24 box eth0 172.30.0.2/24
ip -n "$(ns box)" route add default via 172.30.0.1
on client sysctl -qw net.ipv4.ip_forward=1
on client nft -f - <<'NFT'
table ip forwarded {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname "eth0" tcp dport 8081 dnat to 172.30.0.2:8080
    iifname "eth0" udp dport 7001 dnat to 172.30.0.2:7000
  }
}
NFT
cat >"$work/echo.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7000))
while True:
    data, sender = s.recvfrom(100)
    s.sendto(data, sender)
END
# On a port that others get by chance, as WireGuard's.
cat >"$work/echo_all.py" <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
s.bind(("", 51820))
while True:
    data, asked, _, sender = s.recvmsg(100, 100)
    s.sendmsg([data], [(socket.IPPROTO_IP, 8, b"\0" * 4 + asked[0][2][4:8] + b"\0" * 4)], 0, sender)
END
cat >"$work/ask.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.connect((sys.argv[1], int(sys.argv[2])))
s.send(b"x")
sys.exit(s.recv(100) != b"x")
END
run client page python3 -m http.server --bind :: 8080
run box box-page python3 -m http.server --bind 0.0.0.0 8080
run client echo python3 "$work/echo.py" 198.51.100.2
run client echo-all python3 "$work/echo_all.py"
run client echo6 python3 "$work/echo.py" 2001:db8:1::2
run box box-echo python3 "$work/echo.py" 172.30.0.2
page() { on server curl -s -o /dev/null --noproxy '*' --max-time "${2:-3}" "$1"; }
wait_for 10 page http://198.51.100.2:8080/ || fail "no page"
count_around
start_server 'dns: []' 'pool_cidr6: fd00:8::/64'

start_client client 'route_mode: default'
check "a page over TCP" -- page http://198.51.100.2:8080/
check "over IPv6" -- page 'http://[2001:db8:1::2]:8080/'
check "by a forwarded port" -- page http://198.51.100.2:8081/
check "UDP" -- on server python3 "$work/ask.py" 198.51.100.2 7000
check "UDP on an ephemeral port" -- on server python3 "$work/ask.py" 198.51.100.2 51820
check "UDP over IPv6" -- on server python3 "$work/ask.py" 2001:db8:1::2 7000
check "UDP by a forwarded port" -- on server python3 "$work/ask.py" 198.51.100.2 7001
check "pings" -- on server ping -c 2 -i 0.2 -W 1 198.51.100.2
check "pings over IPv6" -- on server ping -c 2 -i 0.2 -W 1 2001:db8:1::2
check "a port that is closed is told at once" -- \
  bash -c "! ip netns exec $(ns server) timeout 1 bash -c 'echo >/dev/tcp/198.51.100.2/9' 2>&1 | grep -v refused"
on server timeout 1 bash -c 'echo >/dev/tcp/198.51.100.2/9' 2>"$work/closed.log" || true
check "as refused" -- grep -q refused "$work/closed.log"

# From the web's address, as a neighbour of the client can send it.
cat >"$work/forge.py" <<'END'
import socket, struct, time
def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
source, target = socket.inet_aton("192.0.2.80"), socket.inet_aton("198.51.100.2")
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for _ in range(5):
    for protocol in 6, 17:
        if protocol == 6:
            body = struct.pack(">HHIIBBHHH", 8000, 40001, 1, 0, 0x50, 2, 1000, 0, 0)
        else:
            body = struct.pack(">HHHH", 8000, 40001, 8, 0)
        pseudo = source + target + struct.pack(">BBH", 0, protocol, len(body))
        sum_at = 16 if protocol == 6 else 6
        body = body[:sum_at] + struct.pack(">H", checksum(pseudo + body)) + body[sum_at + 2:]
        s.sendto(struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0) + source + target + body,
                 ("198.51.100.2", 0))
    time.sleep(0.02)
END
cat >"$work/own.py" <<'END'
import socket
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for source in ("198.51.100.2", "", ):
        for device in (b"", b"eth0"):
            s = socket.socket(socket.AF_INET, kind)
            s.settimeout(0.3)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                if device: s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
                s.bind((source, 40001))
                s.connect(("192.0.2.80", 8000))
                s.send(b"own"); s.recv(1)
            except OSError: pass
            s.close()
END
# Closed ports that say nothing, so that conntrack remembers what was forged.
on client nft 'table inet silent { chain input { type filter hook input priority 0; tcp dport 40001 drop; udp dport 40001 drop; }; }'
on router python3 "$work/forge.py"
before=$(around)
on client python3 "$work/own.py"
check_equal "a forged packet opens no way for own connections" "$(($(around) - before))" 0
stop "$client_pid"

for with in 'kill_switch: true' 'lan: off'; do
  start_client client 'route_mode: default' "$with"
  page http://198.51.100.2:8080/ 1 && fail "with $with there is an answer"
  on server python3 "$work/ask.py" 198.51.100.2 7000 2>/dev/null && fail "with $with UDP is answered"
  on server ping -c 1 -W 0.5 2001:db8:1::2 >/dev/null && fail "with $with pings are answered"
  say "ok: with $with nobody outside gets an answer"
  stop "$client_pid"
done
check "without a tunnel there is a page again" -- page http://198.51.100.2:8080/
