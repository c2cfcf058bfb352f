#!/usr/bin/env bash
# A server that is started again, with IPv6 and without: the client follows, and in between not one
# IPv6 packet goes around the tunnel.
. "$(dirname "$0")/topology.sh"

to_the_world="ip6 and src host 2001:db8:1::2 and not dst net 2001:db8:1::/64 and not dst net ff00::/8"

topology
remember client
start_server 'pool_cidr6: fd00:8::/64'
start_client client 'route_mode: default' "$public_lan"
check "IPv6 goes through the tunnel" -- on client ping -c 2 -i 0.2 -W 2 "$web_address6"
watch client eth0 "$to_the_world"
# So that the client has something to miss an answer to.
run client ping ping -i 0.1 "$web_address"
# A new socket each time, which chooses its address and its way anew.
run client talker bash -c "while :; do echo talk >/dev/udp/$web_address6/5000; sleep 0.02; done"
talker_pid=$pid

connections() { grep -c 'connected: this host is' "$work/client.log"; }
# restart [YAML...]: the server, killed and started again; until the client is connected again.
restart() {
  local before
  before=$(connections)
  stop "$server_pid" KILL
  start_server "$@"
  is_connected_again() { [ "$(connections)" -gt "$before" ]; }
  wait_for 20 is_connected_again || fail "the client does not connect again"
}
has_ipv6() { [ -n "$(lease6 client)" ]; }
has_no_ipv6() { ! has_ipv6; }

restart 'pool_cidr6: fd00:8::/64'
check "after a restart IPv6 goes on" -- on client ping -c 2 -i 0.2 -W 2 "$web_address6"
restart
check "a server without IPv6: the device has none" -- wait_for 5 has_no_ipv6
try client ping -c 1 -W 1 "$web_address6"
check "it is refused at once" -- grep -qiE 'unreachable|no route' <<<"$output"
check "IPv4 goes on" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
restart 'pool_cidr6: fd00:8::/64'
check "a server with IPv6: it is back" -- wait_for 5 has_ipv6
check "and goes through the tunnel" -- on client ping -c 2 -i 0.2 -W 2 "$web_address6"
check_equal "the device has one IPv6 address" "$(lease6 client | wc -l)" 1

stop "$talker_pid"
end_watch 198.51.100.1
check_equal "all that time, not one IPv6 packet went around the tunnel" "$packets" ""
stop "$client_pid"
check_unchanged "the client puts everything back" client
