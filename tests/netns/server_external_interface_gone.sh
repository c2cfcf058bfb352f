#!/usr/bin/env bash
# The interface in nat.external_iface goes and comes back while the server runs, as that of a
# dial-up line does. The log says so, once each, and clients reach the world again by themselves.
. "$(dirname "$0")/topology.sh"

topology
start_server 'nat: {external_iface: lan}'
start_client client 'route_mode: default'
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }
check "the web is there" -- wait_for 5 carries
rename() {
  on server ip link set "$1" down
  on server ip link set "$1" name "$2"
  on server ip link set "$2" up
}
said() { grep -c "$1" "$work/server.log"; }
is_said() { [ "$(said "$1")" -ge 1 ]; }
gone='warning: nat.external_iface: .*lan; until it is, no address is translated'
rename lan dialup
check "the log says that it has gone" -- wait_for 5 is_said "$gone"
check "the server is ready: its clients have each other" -- \
  test "$(fetch server http://127.0.0.1:9436/healthz)" = ok
rename dialup lan
check "the log says that it is there" -- wait_for 5 is_said 'info  nat.external_iface: lan is there'
check "the web is there again" -- wait_for 5 carries
check_equal "each is said once" "$(said 'nat.external_iface')" 2
