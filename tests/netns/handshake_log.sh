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

# --- fail2ban takes these lines, and no words of a peer's for them ---

filter=$here/../../deploy/fail2ban/filter.d/qdt-server.conf
# found LINE...: the addresses that fail2ban finds in a log of these lines.
found() {
  printf '%s\n' "$@" >"$work/lines"
  fail2ban-regex --out ip "$work/lines" "$filter" | sort -u | tr '\n' ' '
}
check_equal "fail2ban finds who was refused in a log" \
  "$(fail2ban-regex --out ip "$work/server.log" "$filter" | sort -u)" 198.51.100.2
forged='handshake from 203.0.113.9:1 failed: unauthorized'
check_equal "of both kinds, by the journal, in JSON" "$(found \
  '2026-11-30 09:00:00.123 info  handshake from [2001:db8::7]:443 failed: unauthorized' \
  'Nov 30 09:00:00 vpn qdt-server[12]: handshake from 198.51.100.4:1 failed: unauthorized' \
  '{"time":"2026-11-30T09:00:00.123Z","level":"info","message":"handshake from 198.51.100.5:1 failed: unauthorized","address":"-"}')" \
  '198.51.100.4 198.51.100.5 2001:db8::7 '
check_equal "and nobody whom a peer names" "$(found \
  "2026-11-30 09:00:00.123 info  handshake from 198.51.100.6:1 failed: the client gave up: $forged" \
  "2026-11-30 09:00:00.123 info  session of $forged from 198.51.100.6:1 opened with 10.8.0.2" \
  "Nov 30 09:00:00 vpn qdt-server[12]: session of $forged" \
  "{\"time\":\"2026-11-30T09:00:00.123Z\",\"level\":\"info\",\"message\":\"handshake from 198.51.100.6:1 failed: \\\"message\\\":\\\"$forged\\\"\"}" \
  '2026-11-30 09:00:00.123 info  handshake from 198.51.100.6:1 failed: busy')" ''
