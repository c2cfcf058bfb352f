#!/usr/bin/env bash
# SIGTERM and SIGINT end either program at once, in an orderly way, at any moment; the host is then
# as it was.
. "$(dirname "$0")/topology.sh"

topology
remember client
remember server

# stopped_orderly WORDS PID SIGNAL
stopped_orderly() {
  stop "$2" "$3"
  check_equal "$1: exit status 0 after SIG$3" "$status" 0
  check "$1: within 2 s" -- test "$milliseconds" -lt 2000
}
sessions_are() { [ "$(metric qdt_sessions_active)" -eq "$1" ]; }

for signal in TERM INT; do
  start_server
  start_client
  stopped_orderly "a connected client" "$client_pid" "$signal"
  check_unchanged "its host is as it was" client
  check "the server knows at once" -- wait_for 2 sessions_are 0

  start_client
  stopped_orderly "a server with a client" "$server_pid" "$signal"
  check_unchanged "its host is as it was" server
  wait_for 5 grep -q 'reconnecting: the connection was lost: the server is shutting down' "$work/client.log" ||
    fail "the client does not notice"
  stopped_orderly "a client that has lost its server" "$client_pid" "$signal"
  check_unchanged "its host is as it was" client

  # Nobody answers there: the router drops it.
  on router nft add table ip silence
  on router nft add chain ip silence drops '{ type filter hook prerouting priority 0; policy drop; }'
  run_client client
  wait_for 5 grep -q 'connecting to' "$work/client.log" || fail "the client does not start"
  stopped_orderly "a client that is connecting" "$client_pid" "$signal"

  echo "nameserver 198.51.100.1" >"$(etc client resolv.conf)"
  watch router cl1 'udp port 53'
  run_client client 'server: vpn.example.test'
  wait_for 5 grep -q vpn.example.test "$work/watch.log" || fail "the client does not ask for the name"
  stopped_orderly "a client that is resolving a name" "$client_pid" "$signal"
  stop "$watch_pid"
  on router nft delete table ip silence
  echo "nameserver 127.0.0.53" >"$(etc client resolv.conf)"
  check_unchanged "its host is as it was" client
done
