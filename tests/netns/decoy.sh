#!/usr/bin/env bash
# A visitor without the token sees a web server: every path and method, /connect included, is answered by one
# page, the same to the byte but for the date; nothing says QDT. Refusals in the protocol's own words
# go to those alone who show the token.
. "$(dirname "$0")/topology.sh"

topology
start_server 'handshake_rate: {pps: 0}' 'handshake_ip_rate: {pps: 0}'

# answer PROBE-ARGUMENTS...: status, headers and body; the seconds that pass meanwhile do not count.
answer() { probe client --headers "$@" | sed -E 's/^(date: ).*GMT$/\1now/'; }
counted() { metric "qdt_handshakes_total{result=\"$1\"}"; }

page=$(answer --method GET --path / --token '')
check_contains "the root is a page" "$page" "200 
date: now
content-type: text/html
content-length: 45

<html><body><h1>It works!</h1></body></html>"
check_contains "with a date" "$(probe client --headers --method GET --path / --token '')" \
  "date: $(LC_ALL=C date -u '+%a, %d %b %Y')"

same() { check_equal "the same: $1" "$(answer "${@:2}")" "$page"; }
before=$(counted unauthorized)
same "a wrong token" --token wrong-token-0123456789abcdef
same "half of the token" --token "${token%?}"
same "no token" --token ''
same "a wrong token before its body" --token wrong --body '{"version":1'
same "a wrong token and a body that is too long" --token wrong --body "$(printf '%05000d' 0)"
check_equal "each is counted as it was before" "$(counted unauthorized)" $((before + 5))
same "GET /connect" --method GET --token wrong
same "an unknown path" --path /other --token ''
same "an unknown path with the token" --path /other
same "a path that leads out" --path /../../etc/passwd --method GET
same "PUT" --method PUT --path / --token ''
same "OPTIONS" --method OPTIONS --path /connect --token ''
same "a method that nobody knows" --method BREW --token ''
same "without datagrams" --token wrong --no-datagrams
check_equal "HEAD has the headers and no body" "$(answer --method HEAD --path / --token '' --body '')" \
  "$(sed '/^$/q' <<<"$page")"
lacks_words() { ! grep -qi 'qdt\|token\|connect\|unauthorized' <<<"$page"; }
check "no word of it says what this is" -- lacks_words

check_equal "the token has the protocol's words: a wrong method" "$(probe client --method GET)" \
  "405 method not allowed"
check_equal "the token has the protocol's words: a bad body" "$(probe client --body 'x')" \
  "400 bad request"
check_contains "and the token is let in" "$(probe client)" '200 {'

try_client client 'token: some-other-token-0123456789'
check_equal "a client with a wrong token ends with status 2" "$status" 2
check_contains "it says what may be the matter, and what to do" "$output" \
  "not admitted: the token is wrong, or this is no QDT server (it answered with status 200); compare token"
stop "$server_pid"

# A server that is not ready says so to the token alone; the page stays.
start_server 'decoy: {status: 404, server: nginx}' 'max_sessions: 1' 'handshake_ip_rate: {pps: 0}'
start_client client 'route_mode: cidr'
page=$(answer --method GET --path / --token '')
check_contains "a status of the operator's, a server by choice" "$page" "404 
server: nginx
date: now
content-type: text/html
content-length: "
same "a wrong token at a full server" --token wrong
check_equal "the token at a full server" "$(probe client)" "503 server busy"
stop "$client_pid"
try_client client 'token: some-other-token-0123456789'
check_equal "a client with a wrong token ends with status 2" "$status" 2
check_contains "and is told the status" "$output" "it answered with status 404"
stop "$server_pid"

start_server 'decoy: off'
check_equal "off: the protocol's words for all: a wrong token" "$(probe client --token wrong)" \
  "401 unauthorized"
check_equal "an unknown path" "$(probe client --path /other)" "404 not found"
stop "$server_pid"
