#!/usr/bin/env bash
# A client's session lives through changes of its network, with a server of four shards: another
# address and back, no link at all for a while, a NAT that forgets it, a pause of the whole process.
. "$(dirname "$0")/topology.sh"

topology
start_server 'send_workers: 4'
mkdir "$work/files"
head -c 20000000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
start_client client 'route_mode: default'

# take ADDRESS: eth0 has it, and no other.
take() {
  on client ip -4 address flush dev eth0
  on client ip address add "$1/24" dev eth0
  on client ip route add default via 198.51.100.1
}
moves() { grep -c 'the session goes on from' "$work/client.log" || true; }
has_moved() { [ "$(moves)" -ge "$1" ]; }

# transfer: 20 MB through the tunnel in the background, for some seconds; and pings, to see stalls.
transfer() {
  run client fetch curl -sS --fail --max-time 60 --limit-rate 4M -o "$work/copy" \
    "http://$web_address:8000/file"
  fetch_pid=$pid
  : >"$work/ping.log"
  run client ping ping -D -n -i 0.05 "$web_address"
  ping_pid=$pid
  wait_for 5 grep -q 'time=' "$work/ping.log" || fail "no ping is answered"
}
# check_transfer MILLISECONDS: it went through, and no stall was longer.
check_transfer() {
  ended "$fetch_pid" 30
  check_equal "the transfer goes through" "$status" 0
  check "byte for byte" -- cmp "$work/files/file" "$work/copy"
  stop "$ping_pid" INT
  local gap
  gap=$(longest_gap "$work/ping.log")
  check "the longest stall took $gap ms" -- test "$gap" -lt "$1"
}
check_same_session() { check_equal "it is the same session" "$(grep -c 'connected: this host' "$work/client.log")" 1; }

transfer
sleep 1
take 198.51.100.3
check "the session goes on from another address" -- wait_for 5 has_moved 1
sleep 1
take 198.51.100.2
check "and from the first one again" -- wait_for 5 has_moved 2
check_transfer 1000
check_same_session
check_contains "the server saw it move" "$(cat "$work/server.log")" 198.51.100.3

# The router drops the client's port, as a NAT that has lost its state.
port=$(sed -n 's/.*the session goes on from .*:\([0-9]*\)$/\1/p' "$work/client.log" | tail -n 1)
before=$(moves)
sleep 1
on router nft add table ip forgetful
on router nft add chain ip forgetful drops '{ type filter hook prerouting priority 0; }'
on router nft add rule ip forgetful drops udp sport "$port" drop
begun=${EPOCHREALTIME/./}
check "it goes on from another port when its own is dead" -- \
  wait_for 8 on client ping -c 1 -W 1 "$web_address"
took=$(((${EPOCHREALTIME/./} - begun) / 1000))
check "after $took ms" -- test "$took" -lt 5000
check "by a move" -- has_moved $((before + 1))
on router nft delete table ip forgetful

before=$(moves)
kill -STOP "$client_pid"
sleep 6
kill -CONT "$client_pid"
check "after a pause it goes on from a new socket" -- wait_for 5 has_moved $((before + 1))
check "and carries packets" -- wait_for 5 on client ping -c 1 -W 1 "$web_address"
check_same_session

# No link at all; DOWN_SECONDS=30 outlasts the session, which then comes again with its address.
on client ip link set eth0 down
sleep "${DOWN_SECONDS:-3}"
on client ip link set eth0 up
begun=${EPOCHREALTIME/./}
on client ip route add default via 198.51.100.1
check "without any link, and with it again" -- wait_for 5 on client ping -c 1 -W 1 "$web_address"
took=$(((${EPOCHREALTIME/./} - begun) / 1000))
check "there is traffic $took ms after the link" -- test "$took" -lt 2000
