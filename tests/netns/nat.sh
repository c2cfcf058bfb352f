#!/usr/bin/env bash
# The world sees the server in place of its clients; TCP is told what fits the tunnel.
. "$(dirname "$0")/topology.sh"

topology
start_server
start_client
serve_files web "$web_address"

watch web eth0 'net 10.8.0.0/24'
check "the client fetches a page" -- fetch client "http://$web_address:8000/"
check "the client pings the world" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
end_watch 192.0.2.1
check_equal "no packet of the pool is on the server's cable to the world" "$packets" ""
check_contains "the web host saw the server's address" "$(cat "$work/web-http.log")" \
  '192.0.2.1 - - ['

wait_for 10 knows_path client || fail "the path stays unknown"
# A SYN that promises more than the tunnel carries, in each direction.
on client ip route add "$web_address" dev qdt0 advmss 1460
watch web eth0 'tcp[tcpflags] & tcp-syn != 0'
check "a page again" -- fetch client "http://$web_address:8000/"
end_watch 192.0.2.1
check_contains "a SYN that leaves the tunnel has the MSS of its MTU" "$packets" 'mss 1398'
check_contains "the answer had a larger one on the cable" "$packets" 'mss 1460'
watch client qdt0 'tcp[tcpflags] & tcp-syn != 0 and src port 8000'
check "and again" -- fetch client "http://$web_address:8000/"
end_watch 10.8.0.1
check_contains "a SYN that enters the tunnel, too" "$packets" 'mss 1398'

stop "$client_pid"
stop "$server_pid"
start_server 'nat: {enabled: true, external_iface: wan}'
start_client
watch web eth0 "icmp and host $(lease client)"
on client ping -c 2 -i 0.2 -W 1 "$web_address" >/dev/null || true
end_watch 192.0.2.1
check_contains "with external_iface, only what leaves by it is translated" "$packets" \
  "$(lease client) > $web_address"

stop "$client_pid"
stop "$server_pid"
start_server 'nat: {enabled: false}'
check_lacks "without NAT nothing translates addresses" "$(on server nft list ruleset)" masquerade
start_client
check "the tunnel itself works" -- on client ping -c 3 -i 0.2 -W 2 10.8.0.1
watch web eth0 "icmp and host $(lease client)"
on client ping -c 2 -i 0.2 -W 1 "$web_address" >/dev/null || true
end_watch 192.0.2.1
check_contains "and the client's own address is on the cable" "$packets" "$(lease client) > $web_address"
