#!/usr/bin/env bash
# A packet at the server's port that belongs to no QUIC connection is counted; it costs no log
# line and no memory to speak of, and the server serves on.
. "$(dirname "$0")/topology.sh"

topology 2
say "SEED=$seed"
start_server
start_client client2 'route_mode: cidr'
ping_steadily client2 10.8.0.1

count=5000
dropped() { metric "qdt_drops_total{reason=\"$1\"}"; }
all_dropped() { echo $(($(dropped not_quic) + $(dropped unknown_connection) + $(dropped unproven))); }
log_lines() { wc -l <"$work/server.log"; }

# thrown KIND: at the port, from another host.
thrown() {
  before=$(metric 'qdt_payloads_total{direction="in"}')
  on client "$build/qdt-probe" --seed "$seed" --throw "$1:$count" "$server_address:443"
  have_arrived() { [ "$(metric 'qdt_payloads_total{direction="in"}')" -ge $((before + count)) ]; }
  wait_for 10 have_arrived || fail "of $count $1 some did not arrive"
}

lines=$(log_lines)
for kind in random truncated-initial unknown-version short-header long-header forged-initial; do
  drops=$(all_dropped)
  thrown "$kind"
  are_dropped() { [ $(($(all_dropped) - drops)) -eq "$count" ]; }
  check "$count of the kind $kind are dropped and counted" -- wait_for 2 are_dropped
done

# These are first packets of a client but for one bit, all with the same connection ID.
resident=$(metric process_resident_memory_bytes)
thrown damaged-initial
grown=$((($(metric process_resident_memory_bytes) - resident) / 1048576))
check "damaged first packets cost no memory to speak of ($grown MB)" -- test "$grown" -lt 20
check_contains "after all of it, clients are served" "$(probe client)" '200 {'
connections_are() { [ "$(metric qdt_connections)" -eq "$1" ]; }
check "no connection is left of it" -- wait_for 10 connections_are 1

check "it is not logged packet by packet" -- test $(($(log_lines) - lines)) -le 10
check_steady "no packet of the other client was lost"
