#!/usr/bin/env bash
# Answers of a broken or hostile server: each time the client says what is wrong, ends, and
# leaves its host as it was.
. "$(dirname "$0")/topology.sh"

topology
certificate
remember client
body=$work/body.json
good='{"version":1,"session_id":7,"server_nonce":"AAAAAAAAAAAAAAAAAAAAAA==",
  "mtu":1350,"client_ip":"10.8.0.2","gateway_ip":"10.8.0.1","cidr":"10.8.0.0/24","dns":["192.0.2.53"],
  "caps":["routes","ipv6"],"routes":["172.16.0.0/16"],
  "client_ip6":"fd00:8::2","gateway_ip6":"fd00:8::1","cidr6":"fd00:8::/64"}'
run server hostile "$build/qdt-hostile-server" "$work/server.crt" "$work/server.key" "$body"
wait_for 10 grep -q ready "$work/hostile.log" || fail "the hostile server is not ready"

say "$good" >"$body"
start_client client 'route_mode: cidr'
check_contains "a good answer is taken" "$(on client ip route)" "172.16.0.0/16 dev qdt0"
stop "$client_pid" KILL
try client "$build/qdt-client" --cleanup
check_unchanged "and undone" client

count=0
# hostile WORDS JQ PART [YAML...]: the answer, changed by JQ, ends the client, which says PART.
hostile() {
  jq -c "$2" <<<"$good" >"$body"
  try_client client 'route_mode: cidr' 'timeout: 3s' "${@:4}"
  case $status in 1 | 2 | 3) ;; *) fail "$1: exit status $status: $output" ;; esac
  check_contains "$1: refused, and the reason said" "$output" "$3"
  check_unchanged "$1: the host is as it was" client
  count=$((count + 1))
}

hostile "no version" 'del(.version)' version
hostile "an MTU that carries nothing" '.mtu = 100' mtu
hostile "an MTU that is no number" '.mtu = "big"' mtu
hostile "no address" 'del(.client_ip)' client_ip
hostile "an address that is none" '.client_ip = "10.8.0.2; reboot"' client_ip
hostile "a loopback address" '.client_ip = "127.0.0.1"' client_ip
hostile "a multicast address" '.client_ip = "224.0.0.1"' client_ip
hostile "an address outside of its pool" '.client_ip = "192.168.1.1"' client_ip
hostile "the gateway's own address" '.client_ip = "10.8.0.1"' client_ip
hostile "a pool that is everything" '.cidr = "0.0.0.0/0"' cidr
hostile "a pool that is none" '.cidr = "10.8.0.0/33"' cidr
hostile "a pool with the server in it" \
  '.cidr = "203.0.113.0/24" | .client_ip = "203.0.113.7" | .gateway_ip = "203.0.113.8"' "covers the server"
hostile "a route to everything" '.routes = ["0.0.0.0/0"]' routes
hostile "half of everything" '.routes = ["128.0.0.0/1"]' routes
hostile "a route to loopback" '.routes = ["127.0.0.0/8"]' routes
hostile "a route to the link" '.routes = ["169.254.0.0/16"]' routes
hostile "a route to multicast" '.routes = ["ff02::/16"]' routes
hostile "a route to the server" '.routes = ["203.0.0.0/8"]' "covers the server's own address"
hostile "a route that the host has" '.routes = ["172.17.0.0/16", "198.51.100.0/24"]' "exclude keeps it"
hostile "a thousand routes" '.routes = [range(1000) | "10.9.\(. % 256).0/24"]' "the server's answer"
hostile "a name server that is none" '.dns = ["nameserver\n10.0.0.1"]' dns
hostile "a multicast name server" '.dns = ["224.0.0.251"]' dns
hostile "name servers that are no list" '.dns = "10.8.0.1"' dns
hostile "an IPv6 address of the link" '.client_ip6 = "fe80::2"' client_ip6
hostile "half of an IPv6 lease" 'del(.gateway_ip6)' gateway_ip6
hostile "an IPv6 pool that is everything" '.cidr6 = "::/0"' cidr6
hostile "no session" 'del(.session_id)' session_id
hostile "no JSON object" '[.]' "not admitted: the token is wrong, or this is no QDT server"
hostile "an API's answer" '{"error": "no such call"}' "not admitted: "

# page WORDS STATUS: an answer of any web server's, whose body never ends.
page() {
  { echo "status $2"; printf '<html>%0300d' 0; } >"$body"
  local begun=$SECONDS
  try_client client 'route_mode: cidr' 'timeout: 8s'
  check_equal "$1: the client ends with status 2" "$status" 2
  check_contains "and says what may be the matter" "$output" \
    "not admitted: the token is wrong, or this is no QDT server (it answered with status $2)"
  check "without waiting for the end" -- test $((SECONDS - begun)) -lt 6
  check_unchanged "$1: the host is as it was" client
}
page "a page" 200
page "a page that is not there" 404
page "a way to somewhere else" 301
page "a web server that is down" 503
say "$count answers"
