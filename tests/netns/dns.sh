#!/usr/bin/env bash
# The name servers are the server's, or the client's own, while the tunnel is up; then the old file
# is back byte for byte, unless somebody else has changed it meanwhile.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
printf '# mine\n\nsearch example.test\nnameserver\t127.0.0.53 # no line end' >"$file"
cp "$file" "$work/old"

name_servers() { grep ^nameserver "$file" | tr '\n' ' '; }

start_server 'dns: [192.0.2.80, 192.0.2.81]'
start_client
check_equal "the server's name servers" "$(name_servers)" \
  "nameserver 192.0.2.80 nameserver 192.0.2.81 "
watch web eth0 'udp port 53'
on client getent ahostsv4 name.example.test >/dev/null || true
end_watch 192.0.2.1
check_contains "questions go to them through the tunnel" "$packets" '192.0.2.80.53: '
check_contains "from the server's address" "$packets" '192.0.2.1.'
stop "$client_pid"
check "the old file is back" -- cmp "$file" "$work/old"

start_client client 'dns: [192.0.2.90]'
check_equal "the client's own configuration comes first" "$(name_servers)" "nameserver 192.0.2.90 "
stop "$client_pid"
check "the old file is back again" -- cmp "$file" "$work/old"

start_client
# At once: a file that is cut first, and written later, is two changes.
echo 'nameserver 192.0.2.99' >"$work/new" && mv "$work/new" "$file"
stop "$client_pid"
check_equal "what somebody else wrote meanwhile stays" "$(cat "$file")" 'nameserver 192.0.2.99'
cp "$work/old" "$file"

stop "$server_pid"
start_server 'dns: []'
start_client
check "a server that pushes none leaves the file alone" -- cmp "$file" "$work/old"
stop "$client_pid"
check "also at the end" -- cmp "$file" "$work/old"
