#!/usr/bin/env bash
# Somebody empties or removes /run/qdt while clients run: resolv.conf is what it was in the end all the
# same, whether a client has seen it before its end or not.
. "$(dirname "$0")/topology.sh"

topology
start_server 'dns: [192.0.2.53]'
# shellcheck disable=SC2016  # for the host's shell
run client mounts unshare -m bash -c 'mount --make-rprivate / && mount -t tmpfs run /run && echo ready && exec sleep 600'
etc_pid=$pid
wait_for 10 grep -q ready "$work/mounts.log" || fail "no /run of its own"
content() { in_etc cat /etc/resolv.conf; }
before=$(content)
for removed in '/run/qdt/*' /run/qdt; do
  for wait in 0 3; do
    start_client_in_etc client 'route_mode: default'
    check_contains "the tunnel's name servers are in force" "$(content)" 'nameserver 192.0.2.53'
    in_etc sh -c "rm -rf $removed"
    sleep "$wait"
    check "the tunnel carries" -- on client ping -c 1 -W 2 10.8.0.1
    stop "$client_pid"
    check_equal "the client ends in order" "$status" 0
    check_equal "$removed removed $wait s before the end: resolv.conf is put back" "$(content)" "$before"
  done
done
