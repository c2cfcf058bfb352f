# shellcheck shell=bash disable=SC2034,SC2154  # variables for the scripts, and of topology.sh
# Sourced by the tests of version 2 with another implementation of CONNECT-IP (go/peer) for either role, which
# knows nothing of QDT.
. "$(dirname "${BASH_SOURCE[0]}")/go_peer.sh"

secret=0123456789abcdef0123456789abcdef  # of the device phone; that of tv has "tv" before it
pool6=fd00:8::/64
gateway6=fd00:8::1
everything4=0.0.0.0-255.255.255.255#0
everything6=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff#0

# make_keys: of the device laptop, into $private_key and $public_key.
make_keys() {
  local printed
  printed=$("$build/qdt-client" key)
  private_key=$(grep -o 'ed25519-private:[^"]*' <<<"$printed")
  public_key=$(grep -o ', key: "ed25519:[^"]*' <<<"$printed" | grep -o 'ed25519:.*')
}

digest_of() { printf 'sha256:%s' "$(printf %s "$1" | sha256sum | cut -d' ' -f1)"; }

# start_ip_gateway [YAML...]: our server, with IPv6 and the three devices.
start_ip_gateway() {
  [ -n "${public_key:-}" ] || make_keys
  start_server "$@" "pool_cidr6: $pool6" 'devices:' \
    "  - {name: phone, login: phone, secret: \"$(digest_of "$secret")\"}" \
    "  - {name: tv, secret: \"$(digest_of "tv$secret")\"}" \
    "  - {name: laptop, key: \"$public_key\"}"
}

# run_ip_client OPTION...: without waiting for anything; its PID in $go_pid.
run_ip_client() {
  : >"$work/go.log"
  run client go "$peer" ip-client -server "$server_address:443" "$@"
  go_pid=$pid
}

# start_ip_client OPTION...: until it is connected. Its device leads to the pools and to the web.
start_ip_client() {
  run_ip_client "$@"
  wait_for 15 grep -q '^connected: ' "$work/go.log" || fail "the Go client is not connected"
  ip -n "$(ns client)" route add 10.8.0.0/24 dev qdt0
  ip -n "$(ns client)" route add "$web_address" dev qdt0
  ip -n "$(ns client)" -6 route add "$pool6" dev qdt0
  ip -n "$(ns client)" -6 route add "$web_address6" dev qdt0
}

# try_ip_client OPTION...: one that is not to connect; what it printed in $output, its exit status in $status.
try_ip_client() {
  run_ip_client "$@"
  ended "$go_pid" 15
  output=$(cat "$work/go.log")
}

# start_ip_server OPTION...: until it is ready; its PID in $go_pid. It knows the device laptop.
start_ip_server() {
  [ -n "${public_key:-}" ] || make_keys
  certificate
  : >"$work/go.log"
  run server go "$peer" ip-server -client-key "$public_key" -pool6 "$pool6" \
    -cert "$work/server.crt" -key "$work/server.key" "$@"
  go_pid=$pid
  wait_for 10 grep -q '^ready' "$work/go.log" || fail "the Go server is not ready"
  masquerade_go
}

# start_key_client [YAML...]: our client with the device's key, until it is connected.
start_key_client() { start_client client "$@" '#token:' "key: \"$private_key\""; }
# try_key_client [YAML...]: one that is not to connect, as try().
try_key_client() { try_client client "$@" '#token:' "key: \"$private_key\""; }
