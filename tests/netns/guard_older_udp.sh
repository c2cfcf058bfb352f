#!/usr/bin/env bash
# A program talks over UDP before the client starts, and its peer goes on sending: no packet of the
# two goes around the tunnel, although the peer's next one comes from outside.
. "$(dirname "$0")/topology.sh"

topology
on server sysctl -qw net.ipv4.ip_forward=1
count_around
cat >"$work/peer.py" <<'END'
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7001))
_, asker = s.recvfrom(100)
for _ in range(600):
    s.sendto(b"again", asker)
    time.sleep(0.05)
END
cat >"$work/talk.py" <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(30)
s.connect(("192.0.2.80", 7001))
s.send(b"first")
while s.recv(100): s.send(b"answer")
END
ip -n "$(ns web)" route replace default via 192.0.2.1
run web peer timeout 60 python3 "$work/peer.py"
wait_for 5 on web bash -c 'ss -lun | grep -q :7001' || fail "no peer"
run client talk timeout 60 python3 "$work/talk.py"
talks() { [ "$(around)" -gt 5 ]; }
wait_for 5 talks || fail "the two do not talk"
start_server
start_client client 'route_mode: default'
before=$(around)
sleep 1
check_equal "nothing goes around the tunnel" "$(($(around) - before))" 0
