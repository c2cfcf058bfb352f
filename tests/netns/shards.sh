#!/usr/bin/env bash
# A server with four shards carries all traffic of six clients at once, in whichever shard each is.
. "$(dirname "$0")/topology.sh"

topology 6
clients=(client client2 client3 client4 client5 client6)
start_server 'send_workers: 4'
check_equal "there are four shards" "$(metric qdt_shards)" 4
for client in "${clients[@]}"; do start_client "$client" 'route_mode: default'; done
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
say "strays: $(metric 'qdt_stray_total{kind="payload"}') payloads, $(metric 'qdt_stray_total{kind="packet"}') packets"
check_equal "no packet was without a session" "$(metric 'qdt_drops_total{reason="no_session"}')" 0
check_equal "no payload was without a connection" \
  "$(metric 'qdt_drops_total{reason="unknown_connection"}')" 0
