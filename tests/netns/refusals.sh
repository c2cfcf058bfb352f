#!/usr/bin/env bash
# Every refusal of docs/protocol-v1.md, in the order of its table, by status, text and metric; and what
# a client makes of those that it can meet. Those that need no token are said with decoy: off alone;
# decoy.sh has the rest.
. "$(dirname "$0")/topology.sh"

unlimited=('handshake_rate: {pps: 0}' 'handshake_ip_rate: {pps: 0}')
topology
start_server "${unlimited[@]}" 'decoy: off'

good_nonce=AAAAAAAAAAAAAAAAAAAAAA
long_body=$(printf '{"version":1,"client_nonce":"%s","filler":"%04096d"}' "$good_nonce" 0)

counted() { metric "qdt_handshakes_total{result=\"$1\"}"; }

# refused RESULT "STATUS TEXT" WORDS PROBE-ARGUMENTS...
refused() {
  local before answer
  before=$(counted "$1")
  answer=$(probe client "${@:4}")
  [ "$answer" = "$2" ] || fail "$1: $3: the answer is \"$answer\", expected \"$2\""
  check_equal "$1: $3" "$(counted "$1")" $((before + 1))
}

# client_refused WORDS: the client says so, and goes on trying until it is stopped.
client_refused() {
  run_client client
  wait_for 10 grep -q 'refused: ' "$work/client.log" || fail "the client is not refused"
  check_contains "the client says why it is refused" "$(cat "$work/client.log")" "refused: $1"
  stop "$client_pid"
  check_equal "it was still trying when it was stopped" "$status" 0
}

wrong=(--token wrong)
# Somebody else's device takes the name: that is for them to mend.
kill -STOP "$server_pid"
ip -n "$(ns server)" link delete qdt0
ip -n "$(ns server)" link add qdt0 type veth peer name other0
kill -CONT "$server_pid"
wait_for 5 grep -q 'not ready' "$work/server.log" || fail "the server does not notice"
refused not_ready "503 not ready" "comes before all else" --method GET "${wrong[@]}"
client_refused "not ready: it is starting or its network is down; trying again"
ip -n "$(ns server)" link delete qdt0
wait_for 5 fetch server http://127.0.0.1:9435/healthz || fail "the server does not recover"

refused method "405 method not allowed" "comes before the token" --method GET "${wrong[@]}"
refused method "405 method not allowed" "PUT is not POST" --method PUT
refused unauthorized "401 unauthorized" "wrong token, before the body" "${wrong[@]}" --body '{'
refused unauthorized "401 unauthorized" "no token" --token ''
refused unauthorized "401 unauthorized" "half a token" --token "${token%?}"
write_client_config client 'token: some-other-token-0123456789'
try client "$build/qdt-client" --config "$work/client.yaml"
check_equal "a client with a wrong token ends with status 2" "$status" 2
check_contains "it says why" "$output" \
  "qdt-client: refused by the server: unauthorized: the token is wrong"

refused not_http3 "400 not http3" "no datagrams, before the body" --no-datagrams --body '{'
refused bad_request "400 bad request" "no JSON" --body 'version=1'
refused bad_request "400 bad request" "JSON that does not end" --body '{"version":1'
refused bad_request "400 bad request" "no object" --body '[1]'
refused bad_request "400 bad request" "wrong version, before the nonce" \
  --body '{"version":2,"client_nonce":"?"}'
refused bad_request "400 bad request" "no version" --body "{\"client_nonce\":\"$good_nonce\"}"
refused bad_request "400 bad request" "an mtu that carries nothing" \
  --body "{\"version\":1,\"client_nonce\":\"$good_nonce\",\"mtu\":575}"
refused bad_request "400 bad request" "too long" --body "$long_body"
refused bad_request "400 bad request" "too long, length not announced" \
  --body "$long_body" --no-content-length
refused bad_request "400 bad request" "too long, in pieces" --body "$long_body" --slow
refused bad_nonce "400 bad nonce" "none" --body '{"version":1}'
refused bad_nonce "400 bad nonce" "no base64" --body '{"version":1,"client_nonce":"*"}'
refused bad_nonce "400 bad nonce" "15 bytes" --body "{\"version\":1,\"client_nonce\":\"${good_nonce%??}\"}"

before=$(counted ok)
check_contains "success is 200" "$(probe client)" '200 {'
check_contains "also without content-length" "$(probe client --no-content-length)" '200 {'
check_contains "also in pieces" "$(probe client --slow)" '200 {'
check_contains "also with padding and unknown members" "$(probe client --body \
  "{\"version\":1,\"client_nonce\":\"$good_nonce==\",\"caps\":[\"new\"],\"more\":{}}")" '200 {'
check_equal "ok is counted" "$(counted ok)" $((before + 4))
check_equal "another path is 404, and no handshake" "$(probe client --path /other)" "404 not found"

stop "$server_pid"
start_server 'max_sessions: 1' 'handshake_ip_rate: {pps: 0.001, burst: 2}'
start_client client 'route_mode: cidr'
first_pid=$client_pid
refused busy "503 server busy" "one session is all, and comes before datagrams" --no-datagrams
refused rate_limited "429 rate limited" "the address's third handshake, before busy"
stop "$first_pid"
client_refused "rate limited: too many attempts; trying again"

# A pool of one address.
stop "$server_pid"
start_server "${unlimited[@]}" 'pool_cidr: 10.8.0.0/30'
run client holder "$build/qdt-probe" --token "$token" --stay "$server_address:443"
wait_for 5 grep -q pong "$work/holder.log" || fail "the probe has no session"
refused bad_nonce "400 bad nonce" "comes before the pool" --body '{"version":1}'
refused pool_exhausted "503 address pool exhausted" "the only address is lent"
client_refused "address pool exhausted: it has no address left; trying again"
stop "$server_pid"
start_server "${unlimited[@]}" 'max_sessions: 1'
run client holder2 "$build/qdt-probe" --token "$token" --stay "$server_address:443"
wait_for 5 grep -q pong "$work/holder2.log" || fail "the probe has no session"
client_refused "server busy: it has as many sessions as it allows; trying again"
