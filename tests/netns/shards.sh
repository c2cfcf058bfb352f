#!/usr/bin/env bash
# A server with four shards carries all traffic of six clients at once, in whichever shard each is.
# The kernel brings everything to its shard; where it does not, shards hand over. Either way no flow
# is reordered.
. "$(dirname "$0")/topology.sh"

topology 6
clients=(client client2 client3 client4 client5 client6)
start_server 'send_workers: 4' 'host_access: all'
check_equal "there are four shards" "$(metric qdt_shards)" 4
client_pids=()
start_clients() {
  local client
  client_pids=()
  for client in "${clients[@]}"; do
    start_client "$client" 'route_mode: default'
    client_pids+=("$client_pid")
  done
}
start_clients
check_equal "and six sessions" "$(metric qdt_sessions_active)" 6
sessions=$(fetch server http://127.0.0.1:9435/metrics | awk '/^qdt_shard_sessions/ { n += $2 } END { print n }')
check_equal "by shard, six too" "$sessions" 6

# together WORDS COMMAND...: with each client's name, at once.
together() {
  local client jobs=()
  for client in "${clients[@]}"; do
    "${@:2}" "$client" >"$work/$client.job.log" 2>&1 &
    jobs+=("$!")
  done
  local i
  for i in "${!jobs[@]}"; do
    wait "${jobs[i]}" || fail "$1: ${clients[i]}: $(cat "$work/${clients[i]}.job.log")"
  done
  say "ok: $1"
}

ping_server() { on "$1" ping -c 10 -i 0.05 -W 3 10.8.0.1; }
ping_often() { on "$1" ping -q -c 400 -i 0.002 -W 3 10.8.0.1; }
ping_world() { on "$1" ping -c 10 -i 0.05 -W 3 -s 4000 "$web_address"; }
ping_next() {
  local i=${1#client}
  on "$1" ping -c 10 -i 0.05 -W 3 -s 1400 "$(lease "${clients[${i:-1} % 6]}")"
}
download() {
  fetch "$1" --max-time 60 -o "$work/$1.copy" "http://$web_address:8000/file"
  cmp "$work/files/file" "$work/$1.copy"
}

mkdir "$work/files"
head -c 3000000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
together "all ping the server" ping_server
together "all ping the world with 4000 bytes" ping_world
together "each pings the next client with 1400 bytes" ping_next
together "all fetch 3 MB over TCP, byte for byte" download

packets=$(($(metric 'qdt_packets_total{direction="up"}') + $(metric 'qdt_packets_total{direction="down"}')))
shards=$(fetch server http://127.0.0.1:9435/metrics | awk '/^qdt_shard_packets_total/ { n += $2 } END { print n }')
check "the shards' packets are the server's ($shards)" -- test $((shards - packets)) -lt 50
strays() { metric "qdt_stray_total{kind=\"$1\"}"; }
check_equal "no payload strayed" "$(strays payload)" 0
check_equal "no packet strayed" "$(strays packet)" 0
check_equal "no packet was without a session" "$(metric 'qdt_drops_total{reason="no_session"}')" 0
check_equal "no payload was without a connection" \
  "$(metric 'qdt_drops_total{reason="unknown_connection"}')" 0

# flow HOST ADDRESS: 2000 numbered packets of one flow from HOST to ADDRESS, whose host is $3.
flow() {
  : >"$work/flow.log"
  run "$3" flow "$here/flow.py" receive 5000
  local receiver=$pid
  wait_for 5 grep -q ready "$work/flow.log" || fail "nobody receives on $3"
  on "$1" "$here/flow.py" send "$2" 5000 2000
  ended "$receiver"
  local result
  result=$(tail -n 1 "$work/flow.log")
  check "a flow from $1 to $3: $result" -- test "${result%% *}" -gt 1000
  check_contains "none overtook another" "$result" ", 0 overtaken"
}
flows() {
  local client
  for client in client client4; do
    flow server "$(lease "$client")" "$client"
    flow "$client" 10.8.0.1 server
  done
}
flows
for pid in "${client_pids[@]}"; do stop "$pid"; done
stop "$server_pid"

if [ "$(cat /proc/sys/kernel/unprivileged_bpf_disabled)" = 0 ]; then
  say "here everyone may load programs: a refusal is not tested"
  exit 0
fi
server_command=(setpriv "--bounding-set=-bpf,-sys_admin" "--inh-caps=-bpf,-sys_admin"
  "${server_command[@]}")
start_server 'send_workers: 4' 'host_access: all'
check_equal "a refusal is told once, with its remedy" \
  "$(grep -c 'chooses TUN queues: not permitted; needs CAP_BPF' "$work/server.log")" 1
on server "$here/tamper.py" "$server_pid" all-to-first
start_clients
together "without steering all ping the server" ping_server
together "each pings the next client with 1400 bytes" ping_next
together "all fetch 3 MB over TCP, byte for byte" download
flows
# Flows that the device has not seen from below go to any queue.
arrived() { on client cat /sys/class/net/qdt0/statistics/rx_packets; }
before=$(arrived)
have_arrived() { [ "$(arrived)" -ge $((before + 100)) ]; }
on server bash -c "for port in {6000..6099}; do echo >/dev/udp/$(lease client)/\$port; done"
check "a hundred flows from the server arrive" -- wait_for 5 have_arrived
# A download's acknowledgements make a few payloads on a busy machine, since they join.
together "each pings the server 400 times" ping_often
check "payloads are handed over ($(strays payload))" -- test "$(strays payload)" -gt 1000
check "and packets ($(strays packet))" -- test "$(strays packet)" -gt 20
check_equal "nothing was without a connection" \
  "$(metric 'qdt_drops_total{reason="unknown_connection"}')" 0
