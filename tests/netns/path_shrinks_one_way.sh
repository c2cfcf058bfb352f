#!/usr/bin/env bash
# A path that carried full packets for a while swallows those above 1280 bytes in one direction,
# without a word, while the other direction goes on: what comes from the server must not hide from
# the client that nothing of its own arrives.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology
bad_path --delay 100ms
start_server
know_neighbours
# swallow [RULE]
swallow() {
  on router nft -f - <<RULES
table ip hole
delete table ip hole
table ip hole {
  chain forward { type filter hook forward priority 0;
    ${1:-}
  }
}
RULES
}
for plane in auto quic; do
  swallow
  start_client client 'route_mode: cidr' "data_plane: $plane"
  check "$plane: the path is known" -- wait_for 10 knows_path client
  # The server's own packets, small ones, go on all the time.
  run server down ping -n -q -i 0.05 -W 1 "$(lease client)"
  down_pid=$pid
  swallow "udp dport 443 meta length > 1280 drop"
  on client ping -n -q -c 20 -i 0.1 -s 1300 -W 1 10.8.0.1 >/dev/null || true
  try client ping -n -q -c 10 -i 0.1 -s 1300 -W 2 10.8.0.1
  check_contains "$plane: large packets go through again" "$output" " 0% packet loss"
  stop "$down_pid" INT
  check_lacks "$plane: the session is not given up" "$(cat "$work/client.log")" "the connection was lost"
  stop "$client_pid"
done
