#!/usr/bin/env bash
# /etc/resolv.conf is a symbolic link to what is not there (yet), as while the program that writes it
# does not run. Names are resolved while the tunnel is up; afterwards link and folders are as they were.
# A program that writes the target meanwhile keeps what it wrote.
. "$(dirname "$0")/topology.sh"

topology
private_etc client
run web names python3 "$here/name_server.py" serve 192.0.2.80 name.test=192.0.2.81
wait_for 10 grep -q ready "$work/names.log" || fail "nobody answers questions for names"
start_server 'dns: [192.0.2.80]'
files() { in_etc sh -c 'cd /etc; readlink resolv.conf; find run -ls 2>&1 | sed "s/.* //"'; }

for target in target run/target ../etc/run/deep/er/target; do
  in_etc ln -sfn "$target" /etc/resolv.conf
  before=$(files)
  start_client_in_etc client 'route_mode: default'
  check_contains "a link to $target: names are resolved" "$(in_etc timeout 5 getent ahostsv4 name.test)" 192.0.2.81
  check_equal "it stays a link" "$(in_etc readlink /etc/resolv.conf)" "$target"
  stop "$client_pid"
  check_equal "in the end all is as it was" "$(files)" "$before"
  in_etc test ! -e /etc/resolv.conf || fail "its target is left"
done

start_client_in_etc client 'route_mode: default'
in_etc sh -c 'cd /etc/run/deep/er; echo "nameserver 198.51.100.1" >new; mv new target'
has_ours() { in_etc grep -q 192.0.2.80 /etc/resolv.conf; }
wait_for 8 has_ours || fail "name servers are not set again"
stop "$client_pid"
check_equal "what was written meanwhile stays" "$(in_etc cat /etc/resolv.conf)" 'nameserver 198.51.100.1'
check_equal "behind the link" "$(in_etc readlink /etc/resolv.conf)" ../etc/run/deep/er/target
