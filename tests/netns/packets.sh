# shellcheck shell=bash disable=SC2034,SC2154  # variables for and of topology.sh
# Part of topology.sh: what passes on a cable or through a TUN device, and what gets lost.

end_port=61999  # the kernel gives none above 60999 to a client

# watch HOST DEVICE FILTER: what passes there from now on.
watch() {
  watched=$1
  : >"$work/watch.log"
  run "$1" watch tcpdump --immediate-mode -lni "$2" "($3) or udp port $end_port"
  watch_pid=$pid
  wait_for 10 grep -q 'listening on' "$work/watch.log" || fail "tcpdump does not start"
}

# end_watch NEIGHBOUR: ends the watch and puts what passed into $packets, a line each. A last packet
# to NEIGHBOUR, over the device, tells that tcpdump has seen all that came before.
end_watch() {
  wait_for 10 sees_end "$1" || fail "tcpdump on $watched saw nothing of the packet to $1"
  stop "$watch_pid"
  packets=$(grep -E '^[0-9:.]+ IP' "$work/watch.log" | grep -v "\.$end_port: UDP" || true)
}
sees_end() {
  on "$watched" bash -c "echo end >/dev/udp/$1/$end_port"
  grep -q "\.$end_port: UDP" "$work/watch.log"
}

# capture HOST DEVICE NAME ARGUMENTS...: what tcpdump sees there from now on, to $work/NAME.pcap for tshark;
# end_capture: until now, if it has not ended by itself (-c).
capture() {
  : >"$work/capture.log"
  run "$1" capture tcpdump --immediate-mode -Uni "$2" -B 65536 -w "$work/$3.pcap" "${@:4}"
  capture_pid=$pid
  wait_for 10 grep -q 'listening on' "$work/capture.log" || fail "tcpdump does not start"
}
end_capture() {
  kill -INT "$capture_pid" 2>/dev/null || true
  ended "$capture_pid"
  [ "$status" -eq 0 ] || fail "tcpdump fails: $(cat "$work/capture.log")"
}

# ping_steadily HOST ADDRESS [SECONDS]: in the background, until check_steady WORDS: no answer was missing.
ping_steadily() {
  run "$1" ping ping -i "${3:-0.05}" "$2"
  ping_pid=$pid
}
check_steady() {
  stop "$ping_pid" INT
  local lost
  lost=$(awk -F 'icmp_seq=' '/icmp_seq=/ { if ($2 + 0 != ++n) { print "number " n; exit } }
    END { if (!n) print "all" }' "$work/ping.log")
  check_equal "$1" "lost: $lost" "lost: "
}

# longest_gap FILE: between two answers in what ping -D printed, in milliseconds.
longest_gap() {
  awk '/time=/ { t = substr($1, 2) * 1000; if (last && t - last > gap) gap = t - last; last = t }
    END { printf "%d\n", gap }' "$1"
}
