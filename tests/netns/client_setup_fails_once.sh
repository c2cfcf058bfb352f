#!/usr/bin/env bash
# A client cannot set its host up for what a restarted server grants, after it has changed part of it.
# When the server grants again what it granted before, the client sets the host up for that from the beginning.
. "$(dirname "$0")/topology.sh"

topology
mkdir "$work/etc"
mount -t tmpfs -o size=8k disk "$work/etc"
unmount_and_clean_up() {
  local status=$?
  umount -l "$work/etc"
  clean_up "$status"
}
trap unmount_and_clean_up EXIT
file=$(etc client resolv.conf)
cp "$file" "$work/etc/resolv.conf"
rm "$file" && ln -s "$work/etc/resolv.conf" "$file"
mount -o remount,ro "$work/etc"

start_server 'pool_cidr: 10.8.0.0/30' 'dns: []' 'handshake_ip_rate: {pps: 0}'
start_client client 'route_mode: default' 'dns_required: true'
before=$(lease client)
reaches_web() { on client ping -n -q -c 1 -W 1 "$web_address"; }
check "the tunnel works" -- reaches_web
stop "$server_pid"

start_server 'pool_cidr: 10.9.0.0/24' 'dns: [192.0.2.53]' 'handshake_ip_rate: {pps: 0}'
check "the host cannot be set up for another server" -- \
  wait_for 15 grep -q 'reconnecting: the connection was lost.*dns_required' "$work/client.log"
stop "$server_pid"

: >"$work/client.log"
start_server 'pool_cidr: 10.8.0.0/30' 'dns: []' 'handshake_ip_rate: {pps: 0}'
check "the first one is back" -- wait_for 15 grep -q 'connected: this host is' "$work/client.log"
check_equal "with the lease of before" "$(lease client)" "$before"
check "the device has it" -- on client ip -o address show dev qdt0 to "$before"
check_contains "and no other" "$(on client ip -o address show dev qdt0)" "$before"
check "the tunnel works again" -- wait_for 3 reaches_web
stop "$client_pid"
check_equal "an orderly end" "$status" 0
