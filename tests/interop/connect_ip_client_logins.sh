#!/usr/bin/env bash
# Another implementation's CONNECT-IP client shows our server who it is, in every way that there is, and is
# refused where it is nobody, or wants what this server does not do.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
start_ip_gateway

# admitted WORDS OPTION...: a session, in which a packet comes back.
admitted() {
  start_ip_client "${@:2}"
  check "$1" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
  stop "$go_pid"
  wait_for 5 sessions_are 0 || fail "its session stays"
}
admitted "Basic" -login "phone:$secret"
admitted "Basic, in proxy-authorization" -login "phone:$secret" -header Proxy-Authorization
admitted "Bearer" -bearer "tv$secret"
admitted "Concealed" -key "$private_key"
admitted "Concealed, in proxy-authorization" -key "$private_key" -header Proxy-Authorization
admitted "Concealed, by another name and port of the server's" -key "$private_key" -authority vpn.test:8443
admitted "Concealed, by an IPv6 address" -key "$private_key" -authority "[$server_address6]"
admitted "a path whose stars are escaped" -login "phone:$secret" -path '/.well-known/masque/ip/%2A/%2a/'

# is_nobody WORDS OPTION...: it gets what a visitor gets.
is_nobody() {
  try_ip_client "${@:2}"
  check_equal "$1: a visitor's answer" "$status $output" "$visitor"
}
try_ip_client
visitor="$status $output"
check_contains "without a login" "$visitor" "2 not connected: "
check_lacks "the answer tells nothing" "$visitor" unauthorized
is_nobody "a wrong secret" -login "phone:0$secret"
is_nobody "a wrong name" -login "nobody:$secret"
is_nobody "the secret of a device that has a login, as a bearer's" -bearer "$secret"
is_nobody "an unknown key" -key ed25519-private:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
is_nobody "a proof for another host" -key "$private_key" -prove-for vpn.test
is_nobody "a proof for another port" -key "$private_key" -prove-for "$server_address:444"

try_ip_client -login "phone:$secret" -path /.well-known/masque/ip/192.0.2.80/6/
check_contains "a scope is not served" "$output" "refused: 501"
try_ip_client -login "phone:$secret" -path /.well-known/masque/ip/192.0.2.80/tcp/
check_contains "what is no scope is wrong" "$output" "refused: 400"
check_equal "nobody has a session" "$(metric qdt_sessions_active)" 0
