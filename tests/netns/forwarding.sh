#!/usr/bin/env bash
# The server switches IPv4 forwarding on, and off again if it was off; a firewall that stops
# forwarded packets all the same is named, with a remedy that works.
. "$(dirname "$0")/topology.sh"

topology
forwards() { on server sysctl -n net.ipv4.ip_forward; }

check_equal "forwarding is off" "$(forwards)" 0
start_server
check_equal "the server switches it on" "$(forwards)" 1
check_contains "and says so" "$(cat "$work/server.log")" "IPv4 forwarding switched on"
stop "$server_pid"
check_equal "and off" "$(forwards)" 0
on server sysctl -qw net.ipv4.ip_forward=1
start_server
stop "$server_pid"
check_equal "forwarding that was on stays on" "$(forwards)" 1

# As Docker leaves a host.
on server nft -f - <<'NFT'
table ip filter {
  chain DOCKER-USER { return; }
  chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }
}
NFT
start_server
check_contains "a firewall that drops is named" "$(cat "$work/server.log")" \
  "chain FORWARD of table ip filter stops forwarded packets"
check_contains "with the remedy" "$(cat "$work/server.log")" \
  "iptables -I DOCKER-USER -i qdt0 -j ACCEPT; iptables -I DOCKER-USER -o qdt0 -j ACCEPT"
start_client
on client ping -c 1 -W 1 "$web_address" >/dev/null && fail "a packet passed the firewall"
say "ok: it does stop the clients' packets"
for way in iifname oifname; do on server nft insert rule ip filter DOCKER-USER $way qdt0 accept; done
check "after the remedy they pass" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
stop "$server_pid"
start_server
check_lacks "and nothing is said any more" "$(cat "$work/server.log")" "stops forwarded packets"
