#!/usr/bin/env bash
# A client that waits for its network, as at a boot, looks its server's name up with the /etc/resolv.conf that
# comes later, though its sandbox names the files that it reads: one where there was none, and one that takes
# another one's place.
. "$(dirname "$0")/topology.sh"

topology
private_etc client
ip -n "$(ns router)" address add 198.51.100.3/24 dev cl1
run router resolver python3 "$here/name_server.py" serve 198.51.100.3 "vpn.test=$server_address"
wait_for 10 grep -q ready "$work/resolver.log" || fail "nobody answers"
start_server

# connects_after WORDS: the client, once another program has put its file there.
connects_after() {
  write_client_config client 'server: "vpn.test:443"' 'wait_for_server: true' 'route_mode: none' 'timeout: 2s'
  : >"$work/client.log"
  nsenter -t "$etc_pid" -m -n -- "$build/qdt-client" --config "$work/client.yaml" >>"$work/client.log" 2>&1 &
  client_pid=$!
  wait_for 12 grep -q 'resolve vpn.test: ' "$work/client.log" || fail "$1: the name is known too early"
  in_etc sh -c 'umask 022 && echo "nameserver 198.51.100.3" >/etc/new && mv /etc/new /etc/resolv.conf'
  wait_for 20 grep -q 'connected: this host is' "$work/client.log" || fail "$1: not connected"
  say "ok: $1: connected"
  stop "$client_pid"
}
in_etc rm -f /etc/resolv.conf
connects_after "a file where there was none"
in_etc sh -c 'echo "nameserver 198.51.100.77" >/etc/resolv.conf'
connects_after "a file that takes another one's place"
