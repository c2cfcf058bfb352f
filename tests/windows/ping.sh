#!/usr/bin/env bash
# Packets of 56 and 1200 bytes, and larger ones in fragments, go through the Windows client both ways.
. "$(dirname "$0")/topology.sh"

topology
prepare_windows
start_server
start_peer
start_windows_client

for size in 56 1200 4000; do
  for target in 10.8.0.1 "$web_address"; do
    check "ping of $size bytes to $target" -- on client ping -c 5 -i 0.2 -W 2 -s "$size" "$target"
  done
done
check "the server reaches the client" -- on server ping -c 3 -i 0.2 -W 2 "$(lease client)"
