#!/usr/bin/env bash
# Somebody flushes all nftables tables of the server's host, again and again: at no time do clients reach
# more of it, nor others them. At its end nothing of it is left, also after a kill.
. "$(dirname "$0")/topology.sh"
. "$here/reach.sh"

topology
on server sysctl -qw net.ipv4.ip_forward=1
ip -n "$(ns router)" route add 10.8.0.0/24 via 203.0.113.2
echo_on server 0.0.0.0
echo_on client 0.0.0.0
remember server
start_server
start_client client 'route_mode: default'
inner=$(lease client)

# flood HOST NAME ADDRESS: a question every two milliseconds; how many were answered is in its log.
flood() {
  : >"$work/$2.log"
  run "$1" "$2" python3 -u -c '
import socket, sys, time
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); asking.setblocking(False)
count, until = 0, time.time() + 4
while time.time() < until:
    try: asking.sendto(b"x", (sys.argv[1], 7007))
    except OSError: pass
    time.sleep(0.002)
    try: count += asking.recv(100) == b"hello\n"
    except OSError: pass
print("answered", count)' "$3"
}
flood client up 10.8.0.1
flood router down "$inner"
for i in 1 2 3 4 5 6 7 8; do sleep 0.4; on server nft flush ruleset; done
are_done() { grep -q answered "$work/up.log" && grep -q answered "$work/down.log"; }
wait_for 10 are_done || fail "no end"
check_equal "no service of the host was reached meanwhile" "$(cat "$work/up.log")" "answered 0"
check_equal "nor the client from outside" "$(cat "$work/down.log")" "answered 0"
check_equal "the gateway still answers pings" "$(answers client ping:10.8.0.1)" ping:10.8.0.1
stop "$client_pid"
stop "$server_pid"
check_unchanged "nothing is left" server
start_server
stop "$server_pid" KILL
check_lacks "nor after a kill" "$(on server nft list tables)" access
