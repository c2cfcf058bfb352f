#!/usr/bin/env bash
# Super-packets through the TUN device: TCP and UDP both ways, byte for byte, with offloads at both
# ends, at one, and at none; and nothing with a wrong checksum reaches the world.
. "$(dirname "$0")/topology.sh"

topology
# The cable to the world carries what a wire would: whole packets with their checksums.
on server ethtool -K lan tx off tso off gso off >/dev/null
on web ethtool -K eth0 gro off >/dev/null
mkdir "$work/files"
head -c 50000000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
# Answers what it is sent with its hash.
cat >"$work/sink.py" <<'END'
import hashlib, socket, sys
server = socket.create_server((sys.argv[1], 7000))
while True:
    connection, _ = server.accept()
    received = hashlib.sha256()
    while data := connection.recv(1 << 20):
        received.update(data)
    connection.sendall(received.hexdigest().encode())
    connection.close()
END
cat >"$work/upload.py" <<'END'
import socket, sys
connection = socket.create_connection((sys.argv[1], 7000), timeout=60)
with open(sys.argv[2], "rb") as file:
    connection.sendfile(file)
connection.shutdown(socket.SHUT_WR)
print(connection.recv(100).decode())
END
# 50 datagrams of 1000 bytes and one of 10 in one system call (UDP_SEGMENT), answered one by one.
cat >"$work/burst.py" <<'END'
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == "echo":
    sock.bind((sys.argv[2], 7001))
    while True:
        data, sender = sock.recvfrom(65536)
        sock.sendto(data, sender)
sock.settimeout(10)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
sock.setsockopt(socket.IPPROTO_UDP, 103, 1000)
sent = [bytes([i]) * 1000 for i in range(50)] + [b"end of file"[:10]]
for _ in range(20):
    sock.sendto(b"".join(sent), (sys.argv[2], 7001))
    for expected in sent:
        assert sock.recv(65536) == expected
END
run web sink python3 "$work/sink.py" "$web_address"
run web echo python3 "$work/burst.py" echo "$web_address"
hash=$(sha256sum <"$work/files/file" | cut -d' ' -f1)

# per_burst DIRECTION: packets that crossed the server's TUN device in one piece, times ten.
per_burst() {
  echo $(($(metric "qdt_tun_packets_total{direction=\"$1\"}") * 10 /
    $(metric "qdt_tun_bursts_total{direction=\"$1\"}")))
}

bad_checksums() {
  tshark -r "$work/world.pcap" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
    -o udp.check_checksum:TRUE -Y 'ip.checksum.status == "Bad" || tcp.checksum.status == "Bad" ||
      udp.checksum.status == "Bad"' 2>/dev/null | head -n 3
}

for setting in 'true true' 'false true' 'true false' 'false false'; do
  read -r at_server at_client <<<"$setting"
  say "tun_offloads: $at_server at the server, $at_client at the client"
  start_server "tun_offloads: $at_server"
  start_client client "tun_offloads: $at_client"

  check "50 MB come down" -- \
    fetch client --max-time 60 -o "$work/down" "http://$web_address:8000/file"
  check "they are the same" -- cmp "$work/files/file" "$work/down"

  capture web eth0 world -Q in -c 20000
  check "bursts of UDP go up and come back" -- \
    on client python3 "$work/burst.py" send "$web_address"
  check_equal "50 MB go up and are the same" \
    "$(on client python3 "$work/upload.py" "$web_address" "$work/files/file")" "$hash"

  if [ "$at_server" = true ]; then
    check "the server takes packets in pieces of several" -- test "$(per_burst in)" -gt 20
    check "and gives them so ($(per_burst in), $(per_burst out) in ten)" -- test "$(per_burst out)" -gt 15
  else
    check_equal "the server takes each packet alone" "$(per_burst in)" 10
    check_equal "and gives each alone" "$(per_burst out)" 10
  fi
  check_equal "nothing was malformed" "$(metric 'qdt_drops_total{reason="malformed"}')" 0
  check_equal "nothing was refused" "$(metric 'qdt_drops_total{reason="tun_refused"}')" 0
  end_capture
  seen=$(tshark -r "$work/world.pcap" 2>/dev/null | wc -l)
  check "the world sees packets ($seen)" -- test "$seen" -gt 10000
  check_equal "every checksum that the world sees is right" "$(bad_checksums)" ""
  stop "$client_pid"
  stop "$server_pid"
done
