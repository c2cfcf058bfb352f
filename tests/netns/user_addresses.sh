#!/usr/bin/env bash
# A device with an address of its own: it always has that one, and nobody else does. Whoever has it by chance when it
# is given gets another within seconds; and what cannot be a device's address is refused, and changes nothing.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'log_json: true' 'pool_cidr6: fd00:51::/64' 'gateway_ip6: fd00:51::1'
server() { on server "$build/qdt-server" "$@" --config "$work/server.yaml"; }
server user add ann >/dev/null
key=$(on client "$build/qdt-client" key --file "$work/device.key" | grep -o 'ed25519:[A-Za-z0-9+/]*' | tail -n 1)
server device add ann laptop --key "$key" >/dev/null
server_key=$(jq -r .msg "$work/server.log" | sed -n 's/^server key, for devices with keys: //p')
with_key=('#token: none' "key_file: $work/device.key" "server_key: \"$server_key\"" 'route_mode: cidr' 'client_id: laptop')

# inner CLIENT: the IPv4 address of its session; inner6 likewise.
inner() {
  on server "$build/qdt-server" status --json | jq -r ".sessions[] | select(.client == \"$1\") | .inner[0]"
}
has() { [ "$(inner "$1")" = "$2" ]; }
has_not() { [ -n "$(inner "$1")" ] && ! has "$1" "$2"; }
reaches() { on "$1" ping -c 1 -W 1 10.8.0.1; }

start_client client2 'route_mode: cidr' 'client_id: other'
wait_for 5 has other "$(lease client2)" || fail "status does not have the first session"
by_chance=$(inner other)
start_client client "${with_key[@]}"
laptop_pid=$client_pid
wait_for 5 has_not laptop "$by_chance" || fail "the laptop has no session"

say "--- the address that somebody has by chance"
check_contains "a device is given it" "$(server device set ann laptop --address "$by_chance")" "laptop of ann is changed"
begun=${EPOCHREALTIME/./}
check "the device has it soon" -- wait_for 15 has laptop "$by_chance"
check "the other gets another one" -- wait_for 15 has_not other "$by_chance"
say "   after $(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
check "packets of the device travel" -- wait_for 10 reaches client
check "and those of the other" -- wait_for 10 reaches client2
check_contains "list tells" "$(server device list ann)" "laptop  $by_chance"

say "--- it stays the device's"
stop "$laptop_pid"
on client2 "$build/qdt-client" reconnect >/dev/null
check "while the device is away, another does not get it" -- wait_for 10 has_not other "$by_chance"
start_client client "${with_key[@]}"
laptop_pid=$client_pid
check "it has it again" -- wait_for 5 has laptop "$by_chance"
stop "$server_pid"
start_server 'log_json: true' 'pool_cidr6: fd00:51::/64' 'gateway_ip6: fd00:51::1'
check "and after a restart of the server" -- wait_for 20 has laptop "$by_chance"
check "the other has another" -- wait_for 20 has_not other "$by_chance"

say "--- by its IPv6 address"
server device set ann laptop --address fd00:51::40 >/dev/null
check "it has the IPv4 one beside it" -- wait_for 15 has laptop 10.8.0.64
check_contains "and the IPv6 one" "$(on server "$build/qdt-server" status --json)" '"fd00:51::40"'
check "packets travel" -- wait_for 10 reaches client

say "--- what is wrong changes nothing"
before=$(server device list)
refused() {
  try server "$build/qdt-server" "${@:3}" --config "$work/server.yaml"
  check_equal "$1 is refused" "$status" 1
  check_contains "and says why" "$output" "$2"
}
refused "one outside of the pool" "it is not in the pool, 10.8.0.0/24" device set ann laptop --address 10.9.0.2
refused "the server's own" "it is the server's own" device set ann laptop --address 10.8.0.1
refused "another device's" "is that of the device laptop of ann already" device add ann tv --token --address 10.8.0.64
refused "none at all" "it is no address" device set ann laptop --address ten
check_equal "and nothing is changed" "$(server device list)" "$before"
server device set ann laptop --address none >/dev/null
check "without one it keeps its session" -- has laptop 10.8.0.64
stop "$server_pid"
check_contains "without a server the file is changed" \
  "$(server device set ann laptop --address 10.8.0.70)" "laptop of ann is changed"
refused "there, too, one outside of the pool" "it is not in the pool" device set ann laptop --address 10.9.0.2
start_server 'pool_cidr: 10.8.0.0/26'
check "an address that the pool does not have any more is as none" -- wait_for 20 reaches client
check "and the log says so" -- grep -q '1 devices have an address that is not in the pool' "$work/server.log"
