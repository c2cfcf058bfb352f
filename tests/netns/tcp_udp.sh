#!/usr/bin/env bash
# Files both ways over TCP, byte for byte, and UDP streams both ways.
. "$(dirname "$0")/topology.sh"

topology
start_server
start_client

mkdir "$work/files"
head -c 30000000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
serve_files client "$(lease client)"
check "30 MB come down from the world" -- \
  fetch client --max-time 60 -o "$work/down" "http://$web_address:8000/file"
check "they are the same" -- cmp "$work/files/file" "$work/down"
check "30 MB go up to the server" -- \
  fetch server --max-time 60 -o "$work/up" "http://$(lease client):8000/file"
check "they are the same" -- cmp "$work/files/file" "$work/up"

run web iperf3 iperf3 --server --bind "$web_address"
wait_for 5 on web ss -Hltn "sport = :5201" || fail "iperf3 does not listen"
# Packets that a slow receiver lost on a busy machine are not the tunnel's losses.
overrun() { on "$1" nstat -asz UdpRcvbufErrors | awk '/^Udp/ { print $2 }'; }
for direction in 'up web' 'down client --reverse'; do
  read -r way receiver option <<<"$direction"
  before=$(overrun "$receiver")
  on client iperf3 --client "$web_address" --json --udp --bitrate 10M --time 2 --length 1200 \
    ${option:+"$option"} >"$work/iperf.json" || fail "iperf3: $(jq -r .error "$work/iperf.json")"
  sent=$(jq .end.sum.packets "$work/iperf.json")
  lost=$(($(jq .end.sum.lost_packets "$work/iperf.json") - $(overrun "$receiver") + before))
  check "UDP at 10 Mbit/s goes $way ($sent packets)" -- test "$sent" -gt 1500
  check "and loses less than 1 % ($lost)" -- test $((lost * 100)) -lt "$sent"
done
