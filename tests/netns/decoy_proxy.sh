#!/usr/bin/env bash
# `decoy: {proxy: ...}`: strangers get what another web server of the server's host answers, a wrong
# token on /connect like any path. A web server that is slow, broken or gone delays no session.
. "$(dirname "$0")/topology.sh"

topology
run server upstream python3 "$(dirname "$0")/upstream.py" 8080
upstream_pid=$pid
wait_for 10 grep -q ready "$work/upstream.log" || fail "the web server is not ready"
unlimited=('handshake_rate: {pps: 0}' 'handshake_ip_rate: {pps: 0}')
start_server 'decoy: page' "${unlimited[@]}"
start_client client 'route_mode: cidr'

# answer METHOD PATH [PROBE-ARGUMENTS...]
answer() {
  probe client --headers --timeout 9 --token '' --body '' --method "$1" --path "$2" "${@:3}" |
    sed -E 's/^(date: ).*GMT$/\1now/'
}
first() { head -n 1 | tr -d ' '; }

proxy_threads() { cat "/proc/$server_pid/task/"*/comm | grep -c '^qdt-decoy$'; }
check_equal "without a web server no thread waits for one" "$(proxy_threads)" 0
write_server_config 'decoy: {proxy: "http://127.0.0.1:8080"}' "${unlimited[@]}"
kill -HUP "$server_pid"
is_proxied() { [[ $(answer GET /) == *"page of the upstream"* ]]; }
check "after SIGHUP there is one" -- wait_for 5 is_proxied
check_equal "with eight threads" "$(proxy_threads)" 8

page=$(answer GET / --header 'user-agent: test' --header 'cookie: a=1' --header 'cookie: b=2')
check_equal "the answer is the web server's" "$(first <<<"$page")" 200
check_contains "with its headers" "$page" "x-powered-by: upstream"
check_contains "and its body" "$page" "page of the upstream"
check_equal "it has one date" "$(grep -c '^date: now' <<<"$page")" 1
asked=$(tail -n 1 "$work/upstream.log")
check_contains "it is told what the visitor said" "$asked" "'user-agent': 'test'"
check_contains "cookies in one field" "$asked" "'cookie': 'a=1; b=2'"
check_contains "and who asks" "$asked" "'x-forwarded-for': '198.51.100.2'"
head_answer=$(answer HEAD /)
check_contains "HEAD has the length" "$head_answer" "content-length: 21"
lacks_body() { ! grep -q page <<<"$head_answer"; }
check "and no body" -- lacks_body
check_contains "chunks are joined" "$(answer GET /chunked)" "page parts"

missing=$(answer POST /missing)
check_equal "what is not there is 404" "$(first <<<"$missing")" 404
check_equal "a wrong token on /connect is the same, to the byte" \
  "$(answer POST /connect --token wrong)" "$missing"
asked=$(tail -n 1 "$work/upstream.log")
check_contains "the web server was asked for it" "$asked" "POST /connect"
lacks_token() { ! grep -qi 'token\|wrong' <<<"$asked"; }
check "without the token" -- lacks_token
check_equal "it is counted" "$(metric 'qdt_handshakes_total{result="unauthorized"}')" 1

check_equal "garbage is a bad gateway" "$(answer GET /garbage | first)" 502
check_equal "so is half an answer" "$(answer GET /early | first)" 502
check_equal "and one that is too long" "$(answer GET /huge | first)" 502

slow=()
for _ in $(seq 20); do
  answer GET /slow >>"$work/slow.txt" &
  slow+=($!)
done
are_waiting() { [ "$(metric qdt_strangers)" -ge 20 ]; }
wait_for 5 are_waiting || fail "no 20 visitors wait: $(metric qdt_strangers)"
on client ping -c 20 -i 0.1 -w 5 -q 10.8.0.1 >"$work/ping.txt"
check_contains "a slow web server loses no session's packet" "$(cat "$work/ping.txt")" "20 received"
slowest=$(sed -n 's|.*= [^/]*/[^/]*/\([0-9]*\).*|\1|p' "$work/ping.txt")
check "and delays none" -- test "$slowest" -lt 500
wait "${slow[@]}" || true
check "visitors who wait too long are told so" -- test "$(grep -c '^504 ' "$work/slow.txt")" -ge 8
check_equal "all of them are told something" "$(grep -c '^50[34] ' "$work/slow.txt")" 20

stop "$upstream_pid" KILL
check_equal "no web server is a bad gateway" "$(answer GET / | first)" 502
failures=$(metric 'qdt_decoy_failures_total{reason="bad_answer"}')
check "its failures are counted" -- test "$failures" -ge 4
check_contains "and the token is let in" "$(probe client)" '200 {'
answer GET /slow >/dev/null &
stop "$server_pid"
check_equal "the server stops as ever" "$status" 0
