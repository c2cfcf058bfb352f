#!/usr/bin/env bash
# A server that is killed and started again, and one whose name moves to another host, cost a running
# transfer no more than a moment; the client looks for a lost server until it is back.
. "$(dirname "$0")/topology.sh"

topology 2
start_server
mkdir "$work/files"
head -c "${TRANSFER_BYTES:-16000000}" /dev/urandom >"$work/files/file"
serve_files web "$web_address"
echo "$server_address vpn.test" >>"$(etc client hosts)"
start_client client 'server: vpn.test:443' 'route_mode: cidr'
on client ip route add "$web_address" dev qdt0

connects() { grep -c 'connected: this host is' "$work/client.log"; }
has_connected() { [ "$(connects)" -ge "$1" ]; }
status_of() { try client "$build/qdt-client" --status; }
steady_ping() {
  : >"$work/ping.log"
  run client ping ping -D -n -i 0.05 "$1"
  ping_pid=$pid
  wait_for 5 grep -q 'time=' "$work/ping.log" || fail "no ping is answered"
}

# Killed and started again, in the middle of a transfer.
address=$(lease client)
run client fetch curl -sS --fail --max-time 90 --limit-rate 4M -o "$work/copy" \
  "http://$web_address:8000/file"
fetch_pid=$pid
steady_ping "$web_address"
sleep 1
stop "$server_pid" KILL
start_server
ended "$fetch_pid" 100
check_equal "the transfer goes through" "$status" 0
check "byte for byte" -- cmp "$work/files/file" "$work/copy"
# The file may have been on its way as a whole before the server was gone.
wait_for 10 has_connected 2 || fail "the client is not back"
sleep 0.2
stop "$ping_pid" INT
gap=$(longest_gap "$work/ping.log")
check "the outage was $gap ms" -- test "$gap" -lt 2000
check_equal "the client has its address again" "$(lease client)" "$address"
check_equal "it connected twice" "$(connects)" 2

# Away for longer: as often as need be, but with patience.
stop "$server_pid" KILL
on client ping -c 3 -i 0.2 -W 1 10.8.0.1 >/dev/null 2>&1 || true
lost() { grep -q 'reconnecting: .*no answer from' "$work/client.log"; }
check "the client notices by what is not answered" -- wait_for 15 lost
status_of
check_equal "--status says so" "$status" 3
check_contains "its device stays" "$(on client ip -o link)" qdt0
check_contains "and its routes" "$(on client ip route)" 'dev qdt0'
start_server
check "it is back once the server is" -- wait_for 12 has_connected 3

# The name means another server now; the first one is dead.
sleep 5
stop "$server_pid" KILL
ip -n "$(ns client2)" address add 198.51.101.3/24 dev eth0
# In place: the client sees the file, not its name.
printf '127.0.0.1 localhost\n198.51.101.3 vpn.test\n' >"$(etc client hosts)"
run client2 server2 "$build/qdt-server" --config "$work/server.yaml"
wait_for 10 grep -q 'ready: clients are taken' "$work/server2.log" || fail "the second server is not ready"
begun=${EPOCHREALTIME/./}
run client wake ping -i 0.2 10.8.0.1
check "the client finds the second server" -- wait_for 10 has_connected 4
took=$(((${EPOCHREALTIME/./} - begun) / 1000))
check "in $took ms" -- test "$took" -lt 5000
status_of
check_contains "--status names it" "$output" "vpn.test:443 (198.51.101.3:443)"
