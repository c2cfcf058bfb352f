#!/usr/bin/env bash
# route_mode default carries IPv4 only, and so lets no IPv6 go around the tunnel; the tunnel itself
# may run over IPv6.
. "$(dirname "$0")/topology.sh"

# The client's packets to anybody but its neighbours.
to_the_world="ip6 and src host 2001:db8:1::2 and not dst net 2001:db8:1::/64 and not dst net ff00::/8"

topology
start_server
check "without the tunnel, the world has IPv6" -- on client ping -c 2 -i 0.2 -W 2 "$web_address6"

try_everything() {
  on client ping -c 3 -i 0.2 -W 1 "$web_address6" && fail "a ping came back"
  on client curl -sS --max-time 1 "http://[$web_address6]:8000/" && fail "a page came"
  on client bash -c "echo leak >/dev/udp/$web_address6/5000" && fail "a datagram went"
  return 0
}

start_client client 'route_mode: default' "$public_lan"
watch client eth0 "$to_the_world"
try_everything >"$work/tries.log" 2>&1
check "IPv4 goes through the tunnel meanwhile" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
end_watch 198.51.100.1
check_equal "not one IPv6 packet left" "$packets" ""
check "programs are told at once" -- grep -qiE 'unreachable|denied|no route' "$work/tries.log"
check "the local network keeps its IPv6" -- on client ping -c 2 -i 0.2 -W 2 2001:db8:1::1
stop "$client_pid"

start_client client 'route_mode: default' "$public_lan" "server: '[$server_address6]:443'"
watch client eth0 "$to_the_world and not (udp port 443 and dst host $server_address6)"
try_everything >"$work/tries.log" 2>&1
check "over IPv6, IPv4 goes through the tunnel" -- on client ping -c 3 -i 0.2 -W 2 "$web_address"
end_watch 198.51.100.1
check_equal "and not one IPv6 packet but the tunnel's own left" "$packets" ""
stop "$client_pid"
check "without the tunnel, the world has IPv6 again" -- \
  on client ping -c 2 -i 0.2 -W 2 "$web_address6"
