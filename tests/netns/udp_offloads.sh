#!/usr/bin/env bash
# UDP bursts: payloads cross the kernel's border many at a time; one by one where an offload is
# switched off, or where the kernel refuses it, which is told once and counted; traffic goes on.
. "$(dirname "$0")/topology.sh"

topology
mkdir "$work/files"
head -c 2000000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"

# download WORDS: and how many payloads came in and went out meanwhile, in how many bursts.
counts() {
  metric "qdt_payloads_total{direction=\"$1\"}"
  metric "qdt_bursts_total{direction=\"$1\"}"
}
download() {
  local -a before_in before_out after_in after_out
  mapfile -t before_in < <(counts in)
  mapfile -t before_out < <(counts out)
  fetch client --max-time 30 -o "$work/copy" "http://$web_address:8000/file"
  check "$1" -- cmp "$work/files/file" "$work/copy"
  mapfile -t after_in < <(counts in)
  mapfile -t after_out < <(counts out)
  in=$((after_in[0] - before_in[0])) in_bursts=$((after_in[1] - before_in[1]))
  out=$((after_out[0] - before_out[0])) out_bursts=$((after_out[1] - before_out[1]))
  say "in: $in payloads, $in_bursts bursts; out: $out payloads, $out_bursts bursts"
}
disabled() { metric "qdt_offloads_disabled_total{kind=\"$1\"}"; }

start_server
start_client
download "a file comes through"
check "payloads go out in bursts" -- test $((out_bursts * 2)) -lt "$out"
check_equal "nothing is refused" "$(disabled udp_gso) $(disabled udp_gro)" "0 0"

on server "$here/tamper.py" "$server_pid" no-checksums
download "a file comes through a kernel that begins to refuse"
download "and another"
check_equal "payloads go out one by one" "$out_bursts" "$out"
check_equal "it is counted once" "$(disabled udp_gso) $(disabled udp_gro)" "1 0"
check_equal "and told once" "$(grep -c 'refuses UDP_SEGMENT (Invalid argument)' "$work/server.log")" 1
stop "$client_pid"
stop "$server_pid"

start_server 'udp_gso: false' 'udp_gro: false'
start_client client 'udp_gso: false' 'udp_gro: false'
download "a file comes through without offloads"
check_equal "payloads go out one by one" "$out_bursts" "$out"
check_equal "and come in one by one" "$in_bursts" "$in"
check_equal "which was wanted: nothing is refused" "$(disabled udp_gso) $(disabled udp_gro)" "0 0"
check_lacks "and nothing told" "$(cat "$work/server.log" "$work/client.log")" refuses
