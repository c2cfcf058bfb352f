#!/usr/bin/env bash
# Packets of 56, 1400 and 4000 bytes reach the server and the world behind it, and come back.
. "$(dirname "$0")/topology.sh"

topology
start_server
start_client

if has_one_shard; then check_equal "the first client gets the first address" "$(lease client)" 10.8.0.2; fi
for size in 56 1400 4000; do
  for target in 10.8.0.1 "$web_address"; do
    check "ping of $size bytes to $target" -- \
      on client ping -c 5 -i 0.2 -W 2 -s "$size" "$target"
  done
done
