#!/usr/bin/env bash
# A NAT gives the client's flow another port, again and again, during a transfer: the server, of four
# shards, follows, in the session's shard and in the same session.
. "$(dirname "$0")/topology.sh"

topology
start_server 'send_workers: 4'
mkdir "$work/files"
head -c 12000000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
start_client client 'route_mode: default'
port=$(sed -n 's/.* from 198.51.100.2:\([0-9]*\) opened.*/\1/p' "$work/server.log")
check "the client's own port is $port" -- test "$port" -gt 0

# map_to PORT: the router is a NAT that shows the client's flow with this source port.
map_to() {
  on router nft -f - <<RULES
table ip rebinding
delete table ip rebinding
table ip rebinding {
  chain back { type filter hook prerouting priority -300;
    ip saddr $server_address udp sport 443 udp dport $1 udp dport set $port
    ip saddr $server_address udp sport 443 udp dport != $port drop
  }
  chain forth { type filter hook postrouting priority 300;
    ip daddr $server_address udp dport 443 udp sport set $1
  }
}
RULES
}

run client fetch curl -sS --fail --max-time 60 --limit-rate 3M -o "$work/copy" "http://$web_address:8000/file"
fetch_pid=$pid
run client ping ping -D -n -i 0.05 "$web_address"
ping_pid=$pid
wait_for 5 grep -q 'time=' "$work/ping.log" || fail "no ping is answered"
for mapped in 2001 2002 2003 2004 2005; do
  map_to "$mapped"
  check "the server follows to port $mapped" -- \
    wait_for 3 grep -q "moved to 198.51.100.2:$mapped" "$work/server.log"
  sleep 0.3
done
ended "$fetch_pid" 30
check_equal "the transfer goes through" "$status" 0
check "byte for byte" -- cmp "$work/files/file" "$work/copy"
stop "$ping_pid" INT
gap=$(longest_gap "$work/ping.log")
check "the longest stall took $gap ms" -- test "$gap" -lt 1000
check_equal "it is the same session" "$(grep -c 'connected: this host' "$work/client.log")" 1
check_lacks "the client knew nothing of it" "$(cat "$work/client.log")" "the session goes on from"
check_equal "no payload came to another shard" "$(metric 'qdt_stray_total{kind="payload"}')" 0
