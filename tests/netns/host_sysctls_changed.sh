#!/usr/bin/env bash
# Somebody changes the MTU of the client's device and a setting. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/host_changes.sh"

ip -n "$(ns client)" link set qdt0 mtu 1280
on client sysctl -qw net.ipv4.conf.all.src_valid_mark=0
check_put_back 'put back: .*(src_valid_mark|device qdt0)'
