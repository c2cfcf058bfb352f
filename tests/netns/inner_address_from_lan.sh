#!/usr/bin/env bash
# Packets for the client's address in the tunnel come by the tunnel or not at all (CVE-2019-14899), in
# every route mode, IPv4 and IPv6, also from a host behind the client and while the device is down.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
add_host box
join client box0 172.30.0.1/24 box eth0 172.30.0.2/24
ip -n "$(ns box)" route add default via 172.30.0.1
start_server 'dns: []' 'pool_cidr6: fd00:8::/64'

# knock WORDS: from the LAN and from behind, with an address of theirs and with the server's inner one.
knock() {
  watch client any "host $inner or host $inner6"
  local address
  for address in "$inner" "$inner6"; do
    on router ping -c 2 -i 0.2 -W 0.2 "$address" >/dev/null 2>&1 || true
    on router timeout 0.3 bash -c "echo x >/dev/tcp/$address/4444" 2>/dev/null || true
    on router bash -c "echo x >/dev/udp/$address/4444" 2>/dev/null || true
  done
  on router ping -c 2 -i 0.2 -W 0.2 -I 10.8.0.1 "$inner" >/dev/null 2>&1 || true
  on box ping -c 2 -i 0.2 -W 0.2 "$inner" >/dev/null 2>&1 || true
  sleep 0.2
  stop "$watch_pid"
  heard=$(grep -cE "> ${inner}[.:]|> ${inner6}[.:]" "$work/watch.log" || true)
  answers=$(grep -E "IP6? ($inner|$inner6)[.:]?[0-9]* >|IP6? ($inner|$inner6) >" "$work/watch.log" || true)
}

for mode in default cidr none; do
  start_client client "route_mode: $mode"
  inner=$(lease client)
  inner6=$(lease6 client)
  ip -n "$(ns router)" route replace "$inner/32" via 198.51.100.2
  ip -n "$(ns router)" -6 route replace "$inner6/128" via 2001:db8:1::2
  ip -n "$(ns router)" address replace 10.8.0.1/32 dev lo
  check "$mode: the client reaches its own address" -- on client ping -c 1 -W 1 "$inner"
  if [ "$mode" != none ]; then  # where answers find no way into the tunnel
    check "$mode: the server reaches the client" -- on server ping -c 1 -W 2 "$inner"
    check "$mode: also by IPv6" -- on server ping -c 1 -W 2 "$inner6"
  fi
  knock
  check "$mode: packets for the inner addresses do come from outside" -- test "$heard" -gt 3
  check_equal "$mode: and none is answered" "$answers" ""
  ip -n "$(ns client)" link set qdt0 down
  knock
  check_equal "$mode: nor while the device is down" "$answers" ""
  stop "$client_pid"
done
