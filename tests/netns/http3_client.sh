#!/usr/bin/env bash
# An HTTP/3 client that is not ours (ngtcp2's example, in Debian's ngtcp2-client) is answered: by a
# page, like any web server's, and with decoy: off in the protocol's words.
. "$(dirname "$0")/topology.sh"

topology
start_server

# answer METHOD PATH: status and body.
answer() {
  try client gtlsclient --exit-on-all-streams-close --no-quic-dump --timeout=5s -m "$1" \
    "$server_address" 443 "https://$server_address$2"
  check_equal "$1 $2 has an answer" "$status" 0
}

for request in 'GET /' 'GET /connect' 'POST /connect' 'POST /' 'OPTIONS /'; do
  # shellcheck disable=SC2086  # two arguments
  answer $request
  check_contains "$request finds a page" "$output" "[:status: 200]"
  check_contains "of HTML" "$output" "[content-type: text/html]"
  check_contains "with a date" "$output" "[date: "
done
answer HEAD /
check_contains "HEAD finds it, too" "$output" "[content-length: 45]"
lacks_body() { ! grep -q 'It works' <<<"$output"; }
check "without its body" -- lacks_body
stop "$server_pid"

start_server 'decoy: off'
answer GET /connect
check_contains "GET /connect is no method of ours" "$output" "[:status: 405]"
check_contains "it says so" "$output" "method not allow"
answer GET /
check_contains "GET / finds nothing" "$output" "[:status: 404]"
answer POST /connect
check_contains "POST /connect without a token is refused" "$output" "[:status: 401]"
check_equal "the method is counted" "$(metric 'qdt_handshakes_total{result="method"}')" 1
check_equal "the token is counted" "$(metric 'qdt_handshakes_total{result="unauthorized"}')" 1
check_equal "another path is no handshake" "$(metric 'qdt_handshakes_total{result="ok"}')" 0
