#!/usr/bin/env bash
# up and down of a user: all its sessions together send and receive at that rate, with hardly a packet sent
# twice, and a ping beside does not wait. Changed while it runs, the rate is in force within seconds. A client
# that does not understand what it is told is held to it all the same. QDT_SECONDS=30
# QDT_STREAMS="1 8" measures longer.
. "$(dirname "$0")/topology.sh"

seconds=${QDT_SECONDS:-3}
topology 2
start_server 'host_access: all'
server() { on server "$build/qdt-server" "$@" --config "$work/server.yaml" >/dev/null; }
server user add ann --up 20mbit --down 20mbit
server_key=$(sed -n 's/.*server key, for devices with keys: \([^" ]*\).*/\1/p' "$work/server.log" | tail -n 1)
for device in client client2; do
  key=$(on "$device" "$build/qdt-client" key --file "$work/$device.key" | grep -o 'ed25519:[A-Za-z0-9+/]*' | tail -n 1)
  server device add ann "$device" --key "$key"
  start_client "$device" '#token: none' "key_file: $work/$device.key" "server_key: \"$server_key\"" \
    'route_mode: cidr' "client_id: $device"
  run server "iperf-$device" iperf3 --server --bind 10.8.0.1 --port "$([ "$device" = client ] && echo 5201 || echo 5202)"
done
listens() { [ "$(on server ss -Htln 'sport >= :5201 and sport <= :5202' | wc -l)" -eq 2 ]; }
wait_for 10 listens || fail "iperf3 does not listen"

# load DEVICE PORT OPTION...: what iperf3 tells is in DEVICE.json.
load() {
  on "$1" iperf3 --client 10.8.0.1 --port "$2" --time "$seconds" --omit 2 --congestion cubic --json "${@:3}" >"$work/$1.json" || true
  ! jq -e .error "$work/$1.json" || fail "iperf3 has failed"
}
# Of one result or two: the sum.
rate() { jq -s 'map(.end.sum_received.bits_per_second) | add / 1e6 * 100 | round / 100' "$@"; }
twice() { jq -s '(map(.end.sum_sent.retransmits) | add) * 140000 / (map(.end.sum_sent.bytes) | add) * 100 | round / 100' "$@"; }
is() { jq -en "$1"; }
pings() { sed -n 's/.*time=\([0-9.]*\) ms/\1/p' "$1" | sort -n; }
p95() { pings "$1" | awk '{ t[NR] = $1 } END { print t[int(NR * 0.95)] }'; }

# judge WORDS FILE...: the bars are wider than what is asked for, since others may have the processors.
judge() {
  local mbit again
  mbit=$(rate "${@:2}")
  again=$(twice "${@:2}")
  say "   $1: $mbit Mbit/s, $again % sent twice, ping p95 $(p95 "$work/ping.log") ms"
  check "$1: no faster than the rate" -- is "$mbit <= 20.5"
  check "$1: about as fast" -- is "$mbit >= 15"
  check "$1: hardly a packet is sent twice" -- is "$again <= 2"
}
with_ping() {
  : >"$work/ping.log"
  run client ping ping -i 0.05 10.8.0.1
  ping_pid=$pid
  "$@"
  stop "$ping_pid" INT
}

limit() { on client "$build/qdt-client" status --json --tun qdt0 | jq -e ".send_rate_bits == $1"; }
check "the client shows the rate up" -- wait_for 5 limit 20000000

for streams in ${QDT_STREAMS:-8}; do
  with_ping load client 5201 --parallel "$streams" --reverse
  judge "down, $streams" "$work/client.json"
  with_ping load client 5201 --parallel "$streams"
  judge "up, $streams" "$work/client.json"
done

both() {
  load client 5201 --parallel 2 "$@" &
  local first=$!
  load client2 5202 --parallel 2 "$@"
  wait "$first"
}
with_ping both --reverse
judge "down, two devices" "$work/client.json" "$work/client2.json"
with_ping both
judge "up, two devices" "$work/client.json" "$work/client2.json"

say "--- changed while it runs"
server user set ann --up none --down none
seconds=2
not_held() { load client 5201 && is "$(rate "$work/client.json") > 40"; }
check "without a rate it is faster" -- wait_for 30 not_held
server user set ann --up 5mbit
held() { load client 5201 && is "$(rate "$work/client.json") < 5.5"; }
check "with another one it is held to that" -- wait_for 30 held

say "--- a client that does not know how to be told: version 1's"
stop "$client_pid"  # of client2
token=$(on server "$build/qdt-server" device add ann old --token --config "$work/server.yaml" | sed -n 's/^token: //p')
server user set ann --up 20mbit
start_client client2 "token: $token" 'auth: token' 'route_mode: cidr' 'client_id: old'
seconds=4
load client2 5202
mbit=$(rate "$work/client2.json")
say "   $mbit Mbit/s"
check "it is held to the rate" -- is "$mbit < 22"
check "but not to much less" -- is "$mbit > 5"

say "--- a quota that ends in a rate"
server user set ann --up none --quota 1kB --quota-action 2mbit
slowed() { load client2 5202 && is "$(rate "$work/client2.json") < 2.5"; }
check "it stays, and slower" -- wait_for 30 slowed
check_contains "show tells" "$(on server "$build/qdt-server" user show ann --json --config "$work/server.yaml")" \
  '"quota_action":"2mbit"'
