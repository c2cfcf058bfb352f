# shellcheck shell=bash disable=SC2154  # variables of topology.sh
# Sourced by the tests of bad paths, after topology.sh: a server, one or two clients and the link
# emulator between the first client and the router. Bars are wide: they catch what is broken, on a
# machine that has other things to do. `make bench` measures.
#
#    client ---- path ==== linkem ==== path ---- router ---- server

# bad_path OPTIONS...: in place of the client's cable; both directions alike.
bad_path() {
  add_host path
  ip -n "$(ns router)" link delete cl1
  join client eth0 198.51.100.2/24 path to_client 192.0.2.1/32
  join router cl1 198.51.100.1/24 path to_router 192.0.2.2/32
  ip -n "$(ns client)" route add default via 198.51.100.1
  for end in client:eth0 router:cl1; do
    on "${end%:*}" ethtool -K "${end#*:}" tso off gso off gro off tx-udp-segmentation off >/dev/null
  done
  wait_for 5 is_settled path || fail "the path's links are not up"
  mkfifo "$work/path_changes"
  ip netns exec "$(ns path)" "$build/qdt_linkem" to_client to_router --seed "$seed" "$@" \
    <>"$work/path_changes" >>"$work/linkem.log" 2>&1 &
  exec 8>"$work/path_changes"
  wait_for 5 grep -q ready "$work/linkem.log" || fail "qdt_linkem does not start"
  say "seed $seed"
}

# uploads SECONDS STREAMS CONGESTION: from the client through the tunnel, in the background, its PID
# in $pid; $work/transfer.json is there at its end.
uploads() {
  [ -n "${iperf_runs:-}" ] || run server iperf iperf3 -s -B 10.8.0.1
  iperf_runs=1
  wait_for 5 is_listening || fail "iperf3 does not listen"
  rm -f "$work/transfer.log"
  run client transfer iperf3 -c 10.8.0.1 -t "$1" -P "$2" -C "$3" --omit 2 --json
}
is_listening() { [ -n "$(on server ss -Hltn 'sport = :5201')" ]; }

# uploaded PID: waits for the end; Mbit/s that arrived.
uploaded() {
  ended "$1" 30
  jq '.end.sum_received.bits_per_second / 1e6' "$work/transfer.log"
}

# ping_quantile SHARE HOST COUNT INTERVAL: in milliseconds, to the server through the tunnel.
ping_quantile() {
  on "$2" ping -n -c "$3" -i "$4" -W 2 10.8.0.1 | sed -n 's/.*time=\([0-9.]*\) ms/\1/p' | sort -n |
    awk -v share="$1" '{ times[NR] = $1 } END { print times[int(share * (NR - 1)) + 1] }'
}
ping_p95() { ping_quantile 0.95 "$@"; }

# is_at_least X LIMIT, exceeds_by_at_most X Y LIMIT
is_at_least() { awk -v x="$1" -v limit="$2" 'BEGIN { exit !(x >= limit) }'; }
exceeds_by_at_most() { awk -v x="$1" -v y="$2" -v limit="$3" 'BEGIN { exit !(x - y <= limit) }'; }

# change_path OPTIONS: of the path as it is, such as "--delay 1500ms", while all goes on.
change_path() {
  say "$1" >&8
  wait_for 5 grep -qe "changed: $1" "$work/linkem.log" || fail "qdt_linkem does not change"
}

# know_neighbours: both ends of the path know each other's hardware address, whose question a long
# path would answer too late.
know_neighbours() {
  ip -n "$(ns client)" neighbour replace 198.51.100.1 dev eth0 nud permanent lladdr "$(hardware router cl1)"
  ip -n "$(ns router)" neighbour replace 198.51.100.2 dev cl1 nud permanent lladdr "$(hardware client eth0)"
}
hardware() { on "$1" cat "/sys/class/net/$2/address"; }
