#!/usr/bin/env bash
# The server's log says, at level info, who could not connect and why, and how long a session lived and
# what it carried; a flood of failures fills no disk.
. "$(dirname "$0")/topology.sh"

topology
start_server 'log_level: info' 'handshake_rate: {pps: 0}' 'handshake_ip_rate: {pps: 0}'
log_has() { wait_for 5 grep -qE -- "$1" "$work/server.log"; }

try_client client 'token: some-other-token-0123456789'
check_equal "a client with a wrong token is refused" "$status" 2
check "the log says who it was, and why" -- log_has 'info  handshake from 198\.51\.100\.2:[0-9]+ failed: unauthorized'

sleep 1
try_client client "tls_fingerprint: sha256:$(printf '%064d' 1)" 'timeout: 2s'
check "one that does not trust the certificate is told of as well" -- \
  log_has 'handshake from 198\.51\.100\.2:[0-9]+ failed: the client gave up: '

lines() { grep -c 'handshake from .* failed' "$work/server.log" || true; }
before=$(lines)
begun=$SECONDS
visitors=()
for _ in $(seq 30); do
  probe client --token wrong >/dev/null &
  visitors+=($!)
done
wait "${visitors[@]}" || true
seconds=$((SECONDS - begun + 2))
check "thirty more are a line a second" -- test $(($(lines) - before)) -le "$seconds"
check "the others are counted" -- log_has '[0-9]+ more handshakes failed'

start_client client 'route_mode: cidr'
on client ping -c 20 -i 0.05 -s 1000 -q 10.8.0.1 >/dev/null
stop "$client_pid"
check "the end of a session tells its age and what it carried" -- \
  log_has 'ended: the peer closed the session \(after [1-9] s; 2[0-9]\.[0-9] kB from it, 2[0-9]\.[0-9] kB to it\)'
stop "$server_pid"
