#!/usr/bin/env bash
# IPv6 inside the tunnel: everything goes through it, TCP and UDP, byte for byte and in
# super-packets; the world sees the server in place of its clients, and the hosts are put back.
. "$(dirname "$0")/topology.sh"

topology
# Not even the way back to the server's own addresses but by its cable: what comes from a client
# has to carry the server's.
ip -n "$(ns web)" -6 route delete default
on server sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.wan.accept_ra=1
remember server
remember client
start_server 'pool_cidr6: fd00:8::/64'
check_equal "the server switches forwarding on" \
  "$(on server sysctl -n net.ipv6.conf.all.forwarding)" 1
check_equal "and goes on taking router advertisements" \
  "$(on server sysctl -n net.ipv6.conf.wan.accept_ra)" 2
start_client client 'route_mode: default' "$public_lan"
check_equal "the IPv6 lease has the number of the other" "$(lease6 client)" \
  "fd00:8::$(lease client | cut -d. -f4)"
check "the client reaches the server inside" -- on client ping -c 2 -i 0.2 -W 2 fd00:8::1

watch client eth0 "ip6 and src host 2001:db8:1::2 and not dst net 2001:db8:1::/64 and not dst net ff00::/8"
for size in 56 1400 4000; do
  check "$size bytes to the world" -- on client ping -c 3 -i 0.2 -W 2 -s "$size" "$web_address6"
done
end_watch 198.51.100.1
check_equal "not one of these packets went around the tunnel" "$packets" ""
watch web eth0 'net fd00:8::/64'
check "a ping again" -- on client ping -c 2 -i 0.2 -W 2 "$web_address6"
end_watch 192.0.2.1
check_equal "no packet of the pool is on the server's cable to the world" "$packets" ""

mkdir "$work/files"
head -c 30000000 /dev/urandom >"$work/files/file"
serve_files web "$web_address6"
serve_files client "$(lease6 client)"
check "30 MB come down from the world" -- \
  fetch client --max-time 60 -o "$work/down" "http://[$web_address6]:8000/file"
check "they are the same" -- cmp "$work/files/file" "$work/down"
check_contains "the web host saw the server's address" "$(cat "$work/web-http.log")" \
  '2001:db8:3::1 - - ['
check "30 MB go up to the server" -- \
  fetch server --max-time 60 -o "$work/up" "http://[$(lease6 client)]:8000/file"
check "they are the same" -- cmp "$work/files/file" "$work/up"
# per_burst DIRECTION: packets that crossed the server's TUN device in one piece, times ten.
per_burst() {
  echo $(($(metric "qdt_tun_packets_total{direction=\"$1\"}") * 10 /
    $(metric "qdt_tun_bursts_total{direction=\"$1\"}")))
}
check "packets cross the device in pieces of several ($(per_burst in), $(per_burst out) in ten)" -- \
  test "$(per_burst in)" -gt 15 -a "$(per_burst out)" -gt 15

# Bursts of datagrams in one system call (UDP_SEGMENT), answered one by one.
cat >"$work/burst.py" <<'END'
import socket, sys
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
if sys.argv[1] == "echo":
    sock.bind((sys.argv[2], 7001))
    print("ready", flush=True)
    while True:
        data, sender = sock.recvfrom(65536)
        sock.sendto(data, sender)
sock.settimeout(10)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
sock.setsockopt(socket.IPPROTO_UDP, 103, 1000)
sent = [bytes([i]) * 1000 for i in range(50)] + [b"the end"]
for _ in range(20):
    sock.sendto(b"".join(sent), (sys.argv[2], 7001))
    for expected in sent:
        assert sock.recv(65536) == expected
END
run web echo python3 "$work/burst.py" echo "$web_address6"
wait_for 5 grep -q ready "$work/echo.log" || fail "nobody echoes"
check "bursts of UDP go up and come back" -- on client python3 "$work/burst.py" send "$web_address6"

for reason in malformed spoofed_source tun_refused no_session; do
  check_equal "nothing was dropped as $reason" "$(metric "qdt_drops_total{reason=\"$reason\"}")" 0
done
stop "$client_pid"
check "the client's IPv6 is outside again" -- on client ping -c 2 -i 0.2 -W 2 "$server_address6"
check_unchanged "the client puts everything back" client
stop "$server_pid"
check_unchanged "the server, too" server

# Once more, to be killed.
start_server 'pool_cidr6: fd00:8::/64'
start_client client 'route_mode: default' "$public_lan"
crash "$client_pid"
check "after a crash, --cleanup" -- on client "$build/qdt-client" --cleanup
check_unchanged "puts everything back" client
crash "$server_pid"
check "at the server" -- on server "$build/qdt-server" --cleanup
check_unchanged "puts everything back" server
