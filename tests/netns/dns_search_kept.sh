#!/usr/bin/env bash
# Other name servers leave the search list and the options as they are; mode and owner of the file, too.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
printf '# mine\nsearch lan.test\nnameserver 198.51.100.1\noptions timeout:1 attempts:1\nsortlist 10.0.0.0' >"$file"
chmod 640 "$file"
chown 1:2 "$file"
cp -p "$file" "$work/old"
state() { stat -c '%a %u %g %i' "$file"; }
before=$(state)
run web names python3 "$here/name_server.py" serve 192.0.2.80 nas.lan.test=192.0.2.81
wait_for 10 grep -q ready "$work/names.log" || fail "nobody answers questions for names"

start_server 'dns: [192.0.2.80]'
start_client
check_equal "name servers are replaced, and nothing else" "$(grep -v '^#' "$file" | tr '\n' ';')" \
  'search lan.test;options timeout:1 attempts:1;sortlist 10.0.0.0;nameserver 192.0.2.80;'
check_contains "a short name is completed" "$(on client getent ahostsv4 nas)" 192.0.2.81
check_equal "mode, owner and inode stay" "$(state)" "$before"
stop "$client_pid"
check "the old file is back" -- cmp "$file" "$work/old"
check_equal "as it was" "$(state)" "$before"
