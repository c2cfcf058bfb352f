#!/usr/bin/env bash
# A server that cannot keep up with what its host sends: the packets wait in the TUN device's queue,
# and a ping behind them, until a few of them pay for it. Where the kernel may not count them, they
# go on waiting.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

dropped() { metric 'qdt_drops_total{reason="tun_queue_delay"}'; }
# download OPTIONS...: through the tunnel, in the background, its PID in $pid.
download() {
  run server iperf iperf3 -s -1 -B 10.8.0.1
  wait_for 5 is_listening || fail "iperf3 does not listen"
  rm -f "$work/transfer.log"
  run client transfer iperf3 -c 10.8.0.1 -R -C cubic --json "$@"
}
# ping_beside_downloads: the median of 100 pings in $median while four streams come down, in ms.
ping_beside_downloads() {
  download -t 4 -P 4
  local transfer=$pid
  sleep 1
  median=$(ping_quantile 0.5 client 100 0.02)
  rate=$(uploaded "$transfer")
  check "the download is one ($rate Mbit/s)" -- is_at_least "$rate" 50
}

topology
start_server 'host_access: all'
check_lacks "the kernel counts what waits" "$(cat "$work/server.log")" 'count what waits'
start_client client 'route_mode: cidr'

download -t 2 -b 20M
rate=$(uploaded "$pid")
check "a stream of 20 Mbit/s is one ($rate)" -- is_at_least "$rate" 10
check_equal "a stream that the server keeps up with loses nothing" "$(dropped)" 0
ping_beside_downloads
counted=$median
drops=$(dropped)
packets=$(metric 'qdt_packets_total{direction="down"}')
check "what the host sends too fast pays for its queue ($drops of $packets packets)" -- test "$drops" -gt 0
check "with less than one packet in a hundred" -- test $((drops * 100)) -lt "$packets"

if [ "$(cat /proc/sys/kernel/unprivileged_bpf_disabled)" = 0 ]; then
  say "here everyone may load programs: a refusal is not tested"
  exit 0
fi
stop "$client_pid"
stop "$server_pid"
server_command=(setpriv "--bounding-set=-bpf,-sys_admin" "--inh-caps=-bpf,-sys_admin" "${server_command[@]}")
start_server 'host_access: all'
start_client client 'route_mode: cidr'
check_contains "a kernel that may not count says so" "$(cat "$work/server.log")" \
  'count what waits in the TUN device: not permitted; needs CAP_BPF'
ping_beside_downloads
check_equal "and nothing is dropped by what it cannot tell" "$(dropped)" 0
say "a ping beside four downloads: $counted ms, and $median ms where nobody counts"
check "a ping waits for less where the kernel counts" -- is_at_least "$median" "$counted"
