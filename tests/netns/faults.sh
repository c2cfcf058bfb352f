#!/usr/bin/env bash
# Whatever happens to the network and to the server, in whatever order: the client is connected again
# within seconds, and nothing piles up. Faults of chance: SEED=... repeats a run, FAULTS=200 is the
# long one (ten minutes).
. "$(dirname "$0")/topology.sh"

faults=${FAULTS:-12}
RANDOM=$seed
say "seed $seed, $faults faults"
topology
remember client
# The client comes again and again: that is not guessing.
server_yaml=('send_workers: 4' 'handshake_ip_rate: {pps: 0}')
start_server "${server_yaml[@]}"
start_client client 'route_mode: default'

# between LOW HIGH: a number of chance, LOW and HIGH included.
between() { echo $(($1 + RANDOM % ($2 - $1 + 1))); }
seconds() { printf '%d.%d' "$(($1 / 10))" "$(($1 % 10))"; }
take() {
  on client ip -4 address flush dev eth0
  on client ip address add "198.51.100.$1/24" dev eth0
  on client ip route add default via 198.51.100.1
}
# drop RULE...: the router drops that.
drop() {
  on router nft add table ip faults
  on router nft add chain ip faults drops '{ type filter hook prerouting priority -200; }'
  on router nft add rule ip faults drops "$@" drop
}
client_port() { on client ss -Hunap | awk '/"qdt-client"/ { sub(/.*:/, "", $4); print $4; exit }'; }

fault_address() { take "$(between 2 9)"; }
fault_link() {
  on client ip link set eth0 down
  sleep "$(seconds "$(between 1 30)")"
  on client ip link set eth0 up
  on client ip route replace default via 198.51.100.1
}
fault_kill() {
  stop "$server_pid" KILL
  sleep "$(seconds "$(between 0 10)")"
  start_server "${server_yaml[@]}"
}
fault_stop() {
  stop "$server_pid"
  start_server "${server_yaml[@]}"
}
# A NAT that forgets the client: its port is dead from now on.
fault_rebind() {
  local port
  port=$(client_port)
  drop udp sport "${port:-1}"
  forgets=1
}
fault_silence() {
  drop udp dport 443
  sleep "$(seconds "$(between 5 30)")"
  on router nft delete table ip faults
}
fault_loss() {
  drop numgen random mod 100 '<' "$(between 10 60)"
  sleep "$(seconds "$(between 5 30)")"
  on router nft delete table ip faults
}
fault_pause() {
  kill -STOP "$client_pid"
  sleep "$(seconds "$(between 5 60)")"
  kill -CONT "$client_pid"
}

descriptors() { find "/proc/$client_pid/fd" -mindepth 1 | wc -l; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$client_pid/status"; }
carries() { on client ping -n -c 1 -W 0.3 10.8.0.1; }

kinds=(address link kill stop rebind silence loss pause)
worst=0
base_descriptors=0
for number in $(seq "$faults"); do
  kind=${kinds[RANDOM % ${#kinds[@]}]}
  forgets=0
  "fault_$kind"
  begun=${EPOCHREALTIME/./}
  wait_for 10 carries || fail "fault $number of seed $seed, $kind: the client does not come back"
  took=$(((${EPOCHREALTIME/./} - begun) / 1000))
  [ "$took" -lt 5000 ] || fail "fault $number of seed $seed, $kind: back after $took ms"
  [ "$took" -gt "$worst" ] && worst=$took
  [ "$forgets" -eq 0 ] || on router nft delete table ip faults
  kill -0 "$client_pid" || fail "the client has ended"
  say "fault $number, $kind: back after $took ms, $(descriptors) descriptors, $(resident) KB"
  # Both have settled by then: buffers, the path MTU, name servers.
  if [ "$number" -eq $(((faults + 3) / 4)) ]; then
    base_descriptors=$(descriptors)
    base_resident=$(resident)
  fi
  sleep "$(seconds "$(between 0 5)")"
done
say "the longest took $worst ms"
check "descriptors do not pile up" -- test "$(descriptors)" -le $((base_descriptors + 2))
check "nor does memory" -- test "$(resident)" -le $((base_resident + 8192))
take 2
on client ip -6 address add 2001:db8:1::2/64 dev eth0 2>/dev/null || true
on client ip -6 route replace default via 2001:db8:1::1
stop "$client_pid"
check_equal "the client is stopped like any other" "$status" 0
check_lacks "and leaves nothing behind" "$(host_state client)" qdt0
check_equal "no rule" "$(on client ip rule | wc -l)" 3
