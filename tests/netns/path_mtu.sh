#!/usr/bin/env bash
# Paths that carry less than Ethernet, and say nothing about it: TCP in both directions is as fast as
# the link lets it, from the first packet on, and goes on when the path shrinks under it.
. "$(dirname "$0")/topology.sh"
. "$here/link.sh"

topology
emulate --rate 50M --delay 2ms --queue 50ms
start_server
serve_files web "$web_address"
head -c 1048576 /dev/urandom >"$work/files/mebibyte"
head -c 30000000 /dev/urandom >"$work/files/large"

tun_mtu() { ip -n "$(ns client)" -o link show qdt0 | sed 's/.* mtu \([0-9]*\).*/\1/'; }
has_mtu() { [ "$(tun_mtu)" = "$1" ]; }
# kilobits HOST URL: per second, of the fastest of four.
kilobits() {
  local i best=0 rate
  for i in 1 2 3 4; do
    rate=$(fetch "$1" -o "$work/copy" -w '%{speed_download}' "$2") || return 1
    rate=$(awk -v r="$rate" 'BEGIN { printf "%d", 8 * r / 1000 }')
    [ "$rate" -le "$best" ] || best=$rate
    cmp -s "$work/files/mebibyte" "$work/copy" || return 1
  done
  say "$best"
}
# is_fast RATE OF_1500: at least 90 %.
is_fast() { [ $((10 * $1)) -ge $((9 * $2)) ]; }

# The MTU of the underlay, and the tunnel's: what a datagram of version 2 carries, 62 bytes less over IPv4, and
# not below 1280.
for pair in '1500 1438' '1420 1358' '1400 1338' '1300 1280' '1280 1280'; do
  read -r underlay inner <<<"$pair"
  change_link "--max-packet $underlay"
  start_client
  serve_files client "$(lease client)"
  http_pid=$pid
  down=$(kilobits client "http://$web_address:8000/mebibyte") || fail "$underlay: nothing comes down"
  up=$(kilobits server "http://$(lease client):8000/mebibyte") || fail "$underlay: nothing goes up"
  [ "$underlay" != 1500 ] || { full_down=$down full_up=$up; }
  check "an underlay of $underlay: $down kbit/s down, of $full_down" -- is_fast "$down" "$full_down"
  check "an underlay of $underlay: $up kbit/s up, of $full_up" -- is_fast "$up" "$full_up"
  check "its TUN device gets the MTU $inner" -- wait_for 10 has_mtu "$inner"
  kill "$http_pid"
  stop "$client_pid"
done

# It shrinks in the middle of a transfer, in each direction.
bytes() { stat -c %s "$work/arriving" 2>/dev/null || echo 0; }
has_grown() { [ "$(bytes)" -gt "$1" ]; }
for direction in down up; do
  change_link "--max-packet 1500"
  start_client
  wait_for 10 knows_path client || fail "the path stays unknown"
  check_equal "the path is wide" "$(tun_mtu)" 1438
  rm -f "$work/arriving"
  from=web from_address=$web_address to=client
  if [ "$direction" = up ]; then
    from=client from_address=$(lease client) to=server
    serve_files client "$from_address"
  fi
  ip netns exec "$(ns "$to")" curl -sS --fail --noproxy '*' --max-time 40 -o "$work/arriving" \
    "http://$from_address:8000/large" >>"$work/transfer.log" 2>&1 &
  transfer_pid=$!
  wait_for 5 has_grown 3000000 || fail "$from sends nothing"
  change_link "--max-packet 1300"
  begun=${EPOCHREALTIME/./}
  sleep 0.3  # what was on its way arrives
  at=$(bytes)
  check "$direction: the transfer moves on" -- wait_for 5 has_grown $((at + 100000))
  milliseconds=$(((${EPOCHREALTIME/./} - begun) / 1000))
  check "within 3 s of the change ($milliseconds ms)" -- [ "$milliseconds" -lt 3000 ]
  ended "$transfer_pid" 40
  check_equal "and ends well" "$status" 0
  check "the same as was sent" -- cmp "$work/files/large" "$work/arriving"
  # Each side notices what becomes of its own packets.
  if [ "$direction" = up ]; then
    check "the TUN device has followed" -- wait_for 5 has_mtu 1280
    check_contains "and the log tells" "$(cat "$work/client.log")" "qdt0 has the MTU 1280"
  else
    check_equal "the server shows it" "$(metric qdt_tunnel_mtu_bytes)" 1280
  fi
  stop "$client_pid"
done
