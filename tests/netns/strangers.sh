# shellcheck shell=bash disable=SC2034,SC2154,SC2317  # topology.sh and the scripts have them
# Part of the tests of strangers: a client with a busy session, a host that has the addresses of a whole
# /48 and of many more, and a server whose memory the kernel limits.

strangers=2001:db8:77::/48
everywhere=2a00::/16  # as many /48s as there are IPv4 addresses

# strangers_topology CLIENTS: client2 is the one with these addresses.
strangers_topology() {
  topology "$1"
  add_ipv6 router cl2 2001:db8:4::1 client2 eth0 2001:db8:4::2
  on client2 sysctl -qw net.ipv6.ip_nonlocal_bind=1
  ip -n "$(ns client2)" -6 route add local "$strangers" dev lo
  ip -n "$(ns client2)" -6 route add local "$everywhere" dev lo
  ip -n "$(ns client2)" -6 route add default via 2001:db8:4::1
  ip -n "$(ns router)" -6 route add "$strangers" via 2001:db8:4::2
  ip -n "$(ns router)" -6 route add "$everywhere" via 2001:db8:4::2
  wait_for 5 on client2 ping -6 -c 1 -W 1 -I 2001:db8:77:1::1 "$server_address6" || fail "no way for strangers"
}

# crowd ARGUMENTS...: from every address of the /48, or of $sources, in the background; its PID in $crowd_pid.
crowd() {
  run client2 crowd "$build/qdt-crowd" "[$server_address6]:443" --sources "${sources:-$strangers}" "$@"
  crowd_pid=$pid
}

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$server_pid/status"; }

# limit_memory MIB: of the server, where this machine has control groups that can be written.
limit_memory() {
  local root file=memory.max
  for root in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/memory; do
    group=$root/qdt-$$
    [ "$root" = /sys/fs/cgroup/memory ] && file=memory.limit_in_bytes
    mkdir "$group" 2>/dev/null || continue
    # Only the kernel puts its files into a new folder: one beside the hierarchies has none.
    if [ -e "$group/$file" ] && echo $(($1 * 1048576)) >"$group/$file" && echo "$server_pid" >"$group/cgroup.procs"; then return; fi 2>/dev/null
    rmdir "$group"
  done
  group=
  say "this machine has no control groups: the server's memory is not limited, only measured"
}
# Once the server has ended.
unlimit_memory() { [ -z "$group" ] || rmdir "$group" 2>/dev/null || true; }

# busy: a flow of 100 Mbit/s from the web to the client, for as long as the test runs.
busy() {
  run web iperf3-server iperf3 -s -B "$web_address"
  wait_for 5 on web ss -Hltn 'sport = 5201' || fail "iperf3 does not listen"
  run client iperf3 iperf3 -c "$web_address" -R -b "${BUSY:-100M}" -t 200
  is_busy() { [ "$(carried)" -gt 2000000 ]; }
  wait_for 10 is_busy || fail "the session carries nothing"
}
carried() { metric 'qdt_bytes_total{direction="down"}'; }
# goodput SECONDS: of the session, in bytes a second.
goodput() {
  local before begun now
  before=$(carried) begun=${EPOCHREALTIME/./}
  sleep "$1"
  now=$(carried)
  echo $(((now - before) * 1000000 / (${EPOCHREALTIME/./} - begun)))
}
# check_goodput WORDS PERCENT COMMAND...: COMMAND begins a crowd, beside which the session carries so much
# of what it did right before. The crowd takes its toll of every round, and the rest of this machine's
# work only of some: what is lost counts when it is lost in three rounds. The last crowd may still be there.
check_goodput() {
  local round before percent
  for round in 1 2 3; do
    before=$(goodput 3)
    "${@:3}"
    percent=$(($(goodput 3) * 100 / before))
    if [ "$percent" -ge "$2" ] || [ "$round" -eq 3 ]; then break; fi
    say "round $round: $percent % of what it was"
    ended "$crowd_pid" 60
  done
  check "$1: $percent % of what it was" -- test "$percent" -ge "$2"
}
