# shellcheck shell=bash disable=SC2034  # variables for the scripts
# Sourced by every interoperability test: the hosts, programs and checks of the namespace tests, and
# another implementation (go/peer) for either role.
. "$(dirname "${BASH_SOURCE[0]}")/../netns/topology.sh"

peer=$build/go-peer

# As Go programs of today have it, modules or not: a hybrid key exchange, whose key share makes the
# ClientHello span two Initial packets.
export GODEBUG=tlskyber=1,tlsmlkem=1

# run_go_client [OPTION...]: without waiting for anything; its PID in $go_pid.
run_go_client() {
  : >"$work/go.log"
  run client go "$peer" client -server "$server_address:443" -token "$token" "$@"
  go_pid=$pid
}

# start_go_client [OPTION...]: until it is connected.
start_go_client() {
  run_go_client "$@"
  wait_for 10 grep -q '^connected: ' "$work/go.log" || fail "the Go client is not connected"
}

# start_go_server [OPTION...]: until it is ready; its PID in $go_pid.
start_go_server() {
  certificate
  : >"$work/go.log"
  run server go "$peer" server -token "$token" -cert "$work/server.crt" -key "$work/server.key" "$@"
  go_pid=$pid
  wait_for 10 grep -q '^ready' "$work/go.log" || fail "the Go server is not ready"
  masquerade_go
}

# What our server does by itself.
masquerade_go() {
  on server sysctl -qw net.ipv4.ip_forward=1
  on server nft -f - <<'END'
table ip test
delete table ip test
table ip test {
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr 10.8.0.0/24 oifname "lan" masquerade
  }
}
END
}

# count NAME: of the Go peer's statistics, which it prints at a session's end.
count() {
  sed -n "s/^statistics:.* $1=\([0-9]*\).*/\1/p" "$work/go.log" | tail -n 1 | grep . || echo 0
}

# Neither the Go peer, as it printed at its session's end, ...
check_go_dropped_nothing() {
  check_contains "the Go peer tells its statistics" "$(cat "$work/go.log")" 'statistics:'
  check_lacks "it dropped nothing" "$(grep ^statistics: "$work/go.log")" dropped_
}

# ... nor our server has dropped anything, but what a kernel with IPv6 says to groups by itself, and what is named:
# too_big for a plain client, whose session may carry less than the device, and whose senders hear so.
check_server_dropped_nothing() {
  check_equal "our server dropped nothing" "$(fetch server http://127.0.0.1:9435/metrics |
    awk -v but="reason=\"${1:-link_local}\"" '/^qdt_drops_total/ && !/link_local/ && !index($0, but) && $NF != 0')" ""
}

sessions_are() { [ "$(metric qdt_sessions_active)" -eq "$1" ]; }

# check_pings HOST ADDRESS...: of all sizes.
check_pings() {
  local size address
  for address in "${@:2}"; do
    for size in 56 1400 4000; do
      check "ping of $size bytes to $address" -- \
        on "$1" ping -c 5 -i 0.2 -W 2 -s "$size" "$address"
    done
  done
}

# check_files CLIENT_ADDRESS [MEGABYTES [WEB_ADDRESS]]: files both ways over TCP, with the world and with the
# server itself.
check_files() {
  local megabytes=${2:-8} web=${3:-$web_address}
  mkdir -p "$work/files"
  head -c "${megabytes}000000" /dev/urandom >"$work/files/file"
  serve_files web "$web"
  serve_files client "$1"
  check "$megabytes MB come down from the world" -- \
    fetch client --max-time 60 -o "$work/down" "$(file_at "$web")"
  check "they are the same" -- cmp "$work/files/file" "$work/down"
  check "$megabytes MB go up to the server" -- \
    fetch server --max-time 60 -o "$work/up" "$(file_at "$1")"
  check "they are the same" -- cmp "$work/files/file" "$work/up"
}
file_at() { case $1 in *:*) say "http://[$1]:8000/file" ;; *) say "http://$1:8000/file" ;; esac; }
