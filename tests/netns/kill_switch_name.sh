#!/usr/bin/env bash
# Behind the kill switch the client alone finds the server's name, also when a crash left the switch
# up and the name servers of the tunnel in force; nobody else gets a question out.
. "$(dirname "$0")/topology.sh"

topology
echo 'nameserver 198.51.100.1' >"$(etc client resolv.conf)"
mac=$(on client cat /sys/class/net/eth0/address)
run router names python3 -uc '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("198.51.100.1", 53))
print("ready")
while True:
    q, sender = s.recvfrom(512)
    name, at = [], 12
    while q[at]: name.append(q[at + 1:at + 1 + q[at]].decode()); at += q[at] + 1
    question = q[12:at + 5]
    is_a = q[at + 1:at + 3] == b"\0\1"
    print("asked for", ".".join(name))
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(sys.argv[1]) if is_a else b""
    s.sendto(q[:2] + b"\x81\x80\0\1\0" + bytes([is_a]) + b"\0\0\0\0" + question + answer, sender)
' "$server_address"
wait_for 10 grep -q ready "$work/names.log" || fail "nobody answers questions for names"
start_server 'dns: [192.0.2.80]'

start_client client "server: 'vpn.test:443'" 'kill_switch: true' "$public_lan"
check "the server is found by its name" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
crash "$client_pid"
check_contains "a crash leaves the tunnel's name servers" "$(cat "$(etc client resolv.conf)")" 192.0.2.80
watch router cl1 "ether src $mac and not arp and not (ip6 and icmp6) and not ip6 dst host ff02::16 and
  not (udp and dst host $server_address and dst port 443) and not (dst host 198.51.100.1 and port 53)"
on client timeout 2 getent ahosts leak.test >/dev/null || true
start_client client "server: 'vpn.test:443'" 'kill_switch: true' "$public_lan"
on client timeout 2 bash -c 'echo x >/dev/udp/198.51.100.1/53' 2>/dev/null || true
end_watch 198.51.100.2
check "after the crash it is found again" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
check_equal "nothing else left" "$packets" ""
check_lacks "nor a question of anybody else" "$(cat "$work/names.log")" leak.test
stop "$client_pid"

try_client client "server: 'vpn.test:443'" 'kill_switch: true' 'token: another-token-0123456789'
check_equal "a client that is refused ends" "$status" 2
check_contains "and tells that the kill switch stays" "$output" "the kill switch stays up"
on client ping -c 1 -W 0.3 198.51.100.1 >/dev/null && fail "the world is there"
try client "$build/qdt-client" --cleanup
check "--cleanup lets go of it" -- on client ping -c 1 -W 1 198.51.100.1
