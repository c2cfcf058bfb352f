#!/usr/bin/env bash
# Outages of five seconds, as on a train through tunnels: the client is back within five
# seconds of the end of each, with its address, and the transfer goes through.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

topology
bad_path --delay 30ms
start_server
mkdir "$work/files"
head -c 3000000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
know_neighbours
start_client client 'route_mode: default'
address=$(lease client)
run client copy curl -sS --fail --limit-rate 150k --max-time 60 -o "$work/copy" "http://$web_address:8000/file"
fetch_pid=$pid
answers() { on client ping -n -q -c 1 -W 1 10.8.0.1; }
for outage in 1 2; do
  sleep 0.5
  change_path "--loss 1"
  sleep 5
  change_path "--loss 0"
  check "the tunnel is back after outage $outage" -- wait_for 5 answers
done
ended "$fetch_pid" 40
check_equal "the transfer goes through" "$status" 0
check "byte for byte" -- cmp "$work/files/file" "$work/copy"
check_equal "the address is the same" "$(lease client)" "$address"
