#!/usr/bin/env bash
# pprof_addr serves what `go tool pprof` asks for, to this host alone; without it nothing does.
. "$(dirname "$0")/topology.sh"

topology
start_server
check_equal "it is off by default" "$(on server ss -Hltn 'sport = :6060')" ""
stop "$server_pid"

start_server 'pprof_addr: 127.0.0.1:6060'
start_client
url=http://127.0.0.1:6060/debug/pprof
check "other hosts do not reach it" -- \
  test "$(on client curl -s --max-time 2 -o /dev/null -w '%{http_code}' "http://10.8.0.1:6060/debug/pprof/cmdline")" = 000

run client flood ping -f -q -c 100000 10.8.0.1
begun=$SECONDS
check "a profile of a second" -- fetch server -o "$work/profile" "$url/profile?seconds=1"
check "takes about a second" -- test $((SECONDS - begun)) -le 3
# gperftools' format: words of 8 bytes; 0, 3 (header words), 0 (version), microseconds, 0.
check_equal "it is one of gperftools'" \
  "$(od -An -tu8 -N40 -v "$work/profile" | tr -s ' \n' ' ')" " 0 3 0 10000 0 "
check "it ends with the process's mappings" -- grep -aq 'r-xp.*qdt-server' "$work/profile"
check "it has samples" -- test "$(stat -c %s "$work/profile")" -gt 500

check_equal "there are names" "$(fetch server "$url/symbol")" "num_symbols: 1"
base=$(awk '/qdt-server$/ { split($1, range, "-"); print range[1]; exit }' "/proc/$server_pid/maps")
offset=$(nm "$build/qdt-server" | awk '$3 == "main" { print $1 }')
main=0x$(printf '%x' $((0x$base + 0x$offset)))
check_equal "and they are right" "$(fetch server --data "$main" "$url/symbol")" "$main"$'\t'main
check_contains "the command line" "$(fetch server "$url/cmdline" | tr '\0' ' ')" \
  "qdt-server --config $work/server.yaml"
check_equal "there are no heap profiles" \
  "$(on server curl -sS --noproxy '*' -o /dev/null -w '%{http_code}' "$url/heap")" 404
check_contains "nonsense is refused" \
  "$(on server curl -sS --noproxy '*' "$url/profile?seconds=x")" "a whole number from 1 to 300"

stop "$server_pid"
write_server_config 'pprof_addr: 0.0.0.0:6060'
try server "$build/qdt-server" --config "$work/server.yaml"
check_equal "an address that others reach is refused" "$status" 1
check_contains "unless it is wanted" "$output" "unless pprof_public is true"
start_server 'pprof_addr: 0.0.0.0:6060' 'pprof_public: true' 'host_access: all'
check "then it is reached" -- fetch client "http://$server_address:6060/debug/pprof/symbol"
