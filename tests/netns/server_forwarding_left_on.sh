#!/usr/bin/env bash
# While the server runs, somebody else comes to need forwarding: a container engine's tables, a
# bridge, a sysctl file. Then it stays on at the end, after a crash too, and the log has the reason
# and the command that switches it off.
. "$(dirname "$0")/topology.sh"

topology
mkdir -p "$(etc server sysctl.d)"
forwards() { on server sysctl -n net.ipv4.ip_forward; }
off() { on server sysctl -qw net.ipv4.ip_forward=0; }
# left_on WORDS REASON LOG
left_on() {
  check_equal "$1: it stays on" "$(forwards)" 1
  check_contains "$1: the log says why" "$(cat "$work/$3")" "IPv4 forwarding is left on: $2"
  check_contains "$1: and how to switch it off" "$(cat "$work/$3")" "sysctl -w net.ipv4.ip_forward=0"
  check_equal "$1: it says so once" "$(grep -c 'is left on' "$work/$3")" 1
  check_lacks "$1: our tables are gone" "$(on server nft list tables)" qdt_
}
docker() {
  on server nft -f - <<'NFT'
table ip nat {
  chain POSTROUTING { type nat hook postrouting priority srcnat; ip saddr 172.17.0.0/16 masquerade; }
}
table ip filter {
  chain FORWARD { type filter hook forward priority filter; policy accept; iifname "docker0" accept; }
}
NFT
}

is_forwarding() { [ "$(forwards)" = 1 ]; }
start_server
off
check "what somebody switches off is put back" -- wait_for 5 is_forwarding
docker
stop "$server_pid"
left_on "another program's tables" "nftables table ip nat has rules" server.log
check_equal "for each interface, too" "$(on server sysctl -n net.ipv4.conf.wan.forwarding)" 1
on server nft flush ruleset
off

start_server
on server nft 'table inet mine { chain f { type filter hook forward priority 0; ct state invalid drop; }; }'
stop "$server_pid"
left_on "rules about forwarding alone" "nftables table inet mine has rules" server.log
off

start_server
on server sysctl -qw net.ipv4.ip_forward=1
stop "$server_pid"
left_on "set again meanwhile" "somebody has set it since" server.log
off

start_server
stop "$server_pid"
check_equal "rules that were there before are no reason" "$(forwards)" 0
on server nft flush ruleset

start_server
ip -n "$(ns server)" link add virbr0 type bridge
stop "$server_pid"
left_on "a bridge that is new" "the device virbr0 has come since" server.log
ip -n "$(ns server)" link del virbr0
off

if [ -d /etc/sysctl.d ]; then
  start_server
  echo 'net.ipv4.ip_forward = 1' >"$(etc server sysctl.d/60-router.conf)"
  stop "$server_pid"
  left_on "a sysctl file" "this host's sysctl files" server.log
  rm "$(etc server sysctl.d/60-router.conf)"
  off
fi

start_server
docker
crash "$server_pid"
on server "$build/qdt-server" --cleanup >"$work/cleanup.log" 2>&1
left_on "after a crash" "nftables table ip nat has rules" cleanup.log
