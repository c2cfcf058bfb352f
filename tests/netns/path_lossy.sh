#!/usr/bin/env bash
# Loss that is no congestion: 1 % each way. Inner BBR knows better than to slow down; a tunnel whose
# own control took it for congestion would leave a twentieth of the link.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"

sysctl -n net.ipv4.tcp_available_congestion_control | grep -qw bbr || modprobe tcp_bbr 2>/dev/null ||
  { say "skipped: this kernel has no BBR"; exit 0; }
topology
bad_path --rate 50M --delay 20ms --loss 0.01
start_server 'host_access: all'
start_client client "route_mode: cidr"

uploads 6 1 bbr
rate=$(uploaded "$pid")
check "a quarter of 50 Mbit/s are used at 1 % loss ($rate)" -- is_at_least "$rate" 12.5
