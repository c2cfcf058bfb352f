# shellcheck shell=bash disable=SC2154  # variables of topology.sh
# Sourced after topology.sh and paths.sh by tests of paths that rewrite the TOS byte of the tunnel's
# packets: the router does it with nftables, both ways, over a link with a round trip of 40 ms.

# rewrite STATEMENT...: what is done to each of the tunnel's IPv4 packets, such as "ip ecn set ce".
rewrite() {
  {
    say "table ip tos"
    say "delete table ip tos"
    say "table ip tos {"; say "chain forward {"; say "type filter hook forward priority 0;"
    local statement
    for statement; do
      say "udp sport 443 $statement"
      say "udp dport 443 $statement"
    done
    say "}"; say "}"
  } | on router nft -f -
}

# marks_test PLANE: a client's pings and its downloads, of a sender that understands marks.
marks_test() {
  start_client client 'route_mode: default' "data_plane: $1"
  try client ping -n -q -c 20 -i 0.05 -W 2 "$web_address"
  check_contains "$1: no ping is lost" "$output" " 0% packet loss"
  local begun=${EPOCHREALTIME/./}
  fetch client "http://$web_address:8000/file" -o "$work/copy" || fail "$1: no download"
  local took=$(((${EPOCHREALTIME/./} - begun) / 1000))
  check "$1: 4 MB take $took ms" -- test "$took" -lt 5000
  check "$1: byte for byte" -- cmp "$work/files/file" "$work/copy"
  stop "$client_pid"
}

# marked_path: the world for all of that.
marked_path() {
  topology
  bad_path --delay 20ms
  for host in client web; do on "$host" sysctl -qw net.ipv4.tcp_ecn=1; done
  start_server
  mkdir "$work/files"
  head -c 4000000 /dev/urandom >"$work/files/file"
  serve_files web "$web_address"
}
