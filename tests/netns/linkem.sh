#!/usr/bin/env bash
# The link emulator that other tests and the comparison rely on: delay, rate, loss, and an MTU that
# shrinks while a transfer runs, seen by programs that know nothing of it.
. "$(dirname "$0")/topology.sh"

add_host left
add_host middle
add_host right
join left eth0 198.51.100.1/24 middle to_left 192.0.2.1/32
join right eth0 198.51.100.2/24 middle to_right 192.0.2.2/32
for host in left right; do on "$host" ethtool -K eth0 tso off gso off gro off >/dev/null; done
for host in "${hosts[@]}"; do wait_for 5 is_settled "$host" || fail "$host's links are not up"; done
mkfifo "$work/changes"

# emulate OPTIONS...: in place of the cable before.
emulate() {
  [ -z "${linkem_pid:-}" ] || { kill "$linkem_pid"; ended "$linkem_pid"; exec 9>&-; }
  : >"$work/linkem.log"
  ip netns exec "$(ns middle)" "$build/qdt_linkem" to_left to_right --seed "$seed" "$@" <"$work/changes" \
    >>"$work/linkem.log" 2>&1 &
  linkem_pid=$!
  exec 9>"$work/changes"
  wait_for 5 grep -q ready "$work/linkem.log" || fail "qdt_linkem does not start"
}
# change OPTIONS: of the cable as it is.
change() {
  say "$1" >&9
  wait_for 5 grep -qe "changed: $1" "$work/linkem.log" || fail "qdt_linkem does not change"
}
fails() { ! "$@"; }
ping_ms() { on left ping -c 20 -i 0.02 198.51.100.2 | sed -n 's|^rtt .*= \([0-9.]*\)/.*|\1|p'; }
is_between() { awk -v x="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(low <= x && x <= high) }'; }

say "seed $seed"
emulate --delay 20ms
rtt=$(ping_ms)
check "20 ms each way make a round trip of 40 ($rtt)" -- is_between "$rtt" 40 60

run right iperf iperf3 -s -B 198.51.100.2
is_listening() { [ -n "$(on right ss -Hltn 'sport = :5201')" ]; }
wait_for 5 is_listening || fail "iperf3 does not listen"
emulate --rate 20M --delay 5ms --queue 50ms
rate=$(on left iperf3 -c 198.51.100.2 -t 3 --json | jq '.end.sum_received.bits_per_second / 1e6')
check "20 Mbit/s are 20 Mbit/s ($rate)" -- is_between "$rate" 15 20

emulate --loss 0.2
lost=$(on left ping -q -c 500 -i 0.002 -W 1 198.51.100.2 | sed -n 's|.* \([0-9.]*\)% packet loss.*|\1|p')
check "a fifth lost each way are 36 % of the pings ($lost)" -- is_between "$lost" 25 48

emulate --delay 1ms
check "full packets pass" -- on left ping -c 2 -W 1 -M "do" -s 1472 198.51.100.2
change "--max-packet 1300"
check "until the MTU shrinks" -- fails on left ping -c 2 -W 1 -M "do" -s 1472 198.51.100.2
check "smaller ones still pass" -- on left ping -c 2 -W 1 -M "do" -s 1200 198.51.100.2
