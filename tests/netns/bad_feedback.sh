#!/usr/bin/env bash
# Sound peers believe each other's feedback about the direct plane: an ordinary transfer counts no
# bad_feedback.
. "$(dirname "$0")/topology.sh"

topology
start_server 'log_level: info' 'host_access: all'
start_client client 'route_mode: cidr' 'log_level: info'
transfer() {
  on server iperf3 --server --one-off --port "$1" >/dev/null 2>&1 &
  wait_for 5 on server sh -c "ss -Hltn sport = :$1 | grep -q ." || fail "iperf3 does not listen"
  on client iperf3 --client 10.8.0.1 --port "$1" --time 3 --parallel 2 "${@:2}" >/dev/null
}
transfer 5301
transfer 5302 --reverse
check_equal "the transfer went by the direct plane" "$(metric qdt_direct_sessions)" 1
check_equal "no feedback is taken for a lie" "$(metric 'qdt_drops_total{reason="bad_feedback"}')" 0
