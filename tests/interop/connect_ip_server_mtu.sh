#!/usr/bin/env bash
# Our client at another implementation's CONNECT-IP server, over a path that carries less than Ethernet and says
# nothing about it: its host's packets that are too large are answered, and TCP flows.
. "$(dirname "$0")/connect_ip_peer.sh"
. "$(dirname "$0")/../netns/link.sh"

topology
emulate --rate 100M --delay 1ms --queue 50ms --max-packet 1400
start_ip_server -packet 1300 -mtu 1280
start_key_client "$public_lan"
wait_for 10 knows_path client || fail "the path stays unknown"

tun_mtu() { ip -n "$(ns client)" -o link show qdt0 | sed 's/.* mtu \([0-9]*\).*/\1/'; }
is_narrow() { [ "$(tun_mtu)" -lt 1400 ] && [ "$(tun_mtu)" -ge 1280 ]; }
check "the TUN device has the path's size" -- wait_for 10 is_narrow
try client ping -c 2 -i 0.3 -W 2 -M 'do' -s 1372 "$web_address"
check_contains "1400 bytes that may not be cut are too many" "$output" "mtu=$(tun_mtu)"
try client ping -c 2 -i 0.3 -W 2 -M 'do' -s 1352 "$web_address6"
check_contains "over IPv6, too" "$output" "mtu: $(tun_mtu)"
check "as many as it has room for pass" -- \
  on client ping -c 3 -i 0.2 -W 2 -M 'do' -s $(($(tun_mtu) - 28)) 10.8.0.1
check "over IPv6, too" -- on client ping -c 3 -i 0.2 -W 2 -M 'do' -s $(($(tun_mtu) - 48)) "$gateway6"
check "what may be cut passes" -- on client ping -c 3 -i 0.2 -W 2 -M dont -s 3000 "$web_address"
check_files 10.8.0.2
