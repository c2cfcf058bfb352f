#!/usr/bin/env bash
# The server's control socket: status, kick and reload by the commands and as docs/control.openapi.yaml has
# them; who may ask; bad requests; a hundred at once, and readers that stand still, while packets travel on.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'log_json: true'
start_client client 'route_mode: cidr' 'client_id: laptop'
socket="/run/qdt/qdt0.$(on server stat -Lc %i /proc/self/ns/net).server.sock"
server() { on server "$build/qdt-server" "$@"; }
has() { server status --json | jq -e "$1"; }
works() { on client ping -c 1 -W 2 10.8.0.1; }

check "status shows the session" -- wait_for 5 has \
  '.sessions[0] | .client == "laptop" and (.outer | startswith("198.51.100.2:")) and (.inner[0] | startswith("10.8.0."))'
on client ping -c 20 -i 0.02 -s 972 -q 10.8.0.1 >/dev/null
check "its bytes each way" -- has '.sessions[0] | .up.bytes >= 20000 and .down.bytes >= 20000'
check "its round trip, and when it was heard" -- wait_for 5 has \
  '.sessions[0] | .rtt_microseconds > 0 and .silent_milliseconds < 30000'
check "and nothing lost on a path that loses nothing" -- wait_for 5 has \
  '.sessions[0] | .packets_arrived > 0 and .packets_lost == 0'
check "and its path MTU" -- wait_for 10 has '.sessions[0].path_mtu == 1500'
text=$(server status)
check_contains "in words" "$text" "1 of as many sessions as the pool holds"
check_contains "for a person" "$text" "laptop             198.51.100.2:"
check_lacks "without colours in a pipe" "$text" $'\e'
check "in a hundred columns" -- test "$(wc -L <<<"$text")" -le 100
status=0
timeout 3 ip netns exec "$(ns server)" "$build/qdt-server" status --watch --json >"$work/watch" || status=$?
check_equal "--watch goes on until it is interrupted" "$status" 124
check "and shows it again and again" -- test "$(wc -l <"$work/watch")" -ge 2
check "the log has keys" -- grep -q '"client":"laptop","address":"198.51.100.2:' "$work/server.log"

check_equal "root's and the group's alone" "$(stat -c %a "$socket" | sed 's/^6[06]0$/private/')" private
output=$(on server setpriv --reuid=65534 --regid=65534 --clear-groups "$build/qdt-server" status 2>&1) && status=0 || status=$?
check_equal "a user without the group may not ask" "$status" 1
check_contains "and is told who may" "$output" "Permission denied; root may ask, and the members of the group qdt"

# While packets travel: none is lost, whatever is asked.
run client ping ping -i 0.05 -w 60 -q 10.8.0.1
ping_pid=$pid
ask() { on server curl -sS --max-time 30 --unix-socket "$socket" "$@"; }
for _ in $(seq 100); do ask http://localhost/v1/sessions >/dev/null & asked+=($!); done
answered=0
for one in "${asked[@]}"; do if wait "$one"; then answered=$((answered + 1)); fi; done
check_equal "a hundred at once are answered" "$answered" 100
silent() { on server timeout 20 socat -u UNIX-CONNECT:"$socket" OPEN:/dev/null & }
for _ in $(seq 20); do silent; done
check_contains "beside more silent ones than it takes" "$(ask http://localhost/v1/status)" '"program":"qdt-server"'
code() { ask "$@" -o /dev/null -w '%{http_code}' 2>/dev/null || true; }
check_lacks "a head without end is refused" \
  "$({ printf 'X: '; head -c 100000 /dev/zero | tr '\0' x; } | code -H @- http://localhost/v1/status)" 200
check_contains "a large body, too" \
  "$(head -c 1000000 /dev/zero | code --data-binary @- -H 'Expect:' http://localhost/v1/reload)" 413
check_contains "any body" "$(ask -d '{"x":' http://localhost/v1/reload)" '"code":"invalid_argument"'
check_contains "another path" "$(ask http://localhost/v1/%2e%2e/etc)" '"code":"not_found"'
kill -INT "$ping_pid"
ended "$ping_pid"
check_contains "and no packet was lost" "$(cat "$work/ping.log")" " 0% packet loss"

check_equal "kick says what it did" "$(server kick laptop | sed 's/[0-9a-f]\{16\}/ID/')" "session ID has ended"
check "the log says why" -- wait_for 5 grep -q '"reason":"ended by the operator"' "$work/server.log"
check "the client is told" -- wait_for 5 grep -q "the server's operator ended the session" "$work/client.log"
check "and comes again" -- wait_for 10 works
# A server that says of the first of three sessions that it has ended meanwhile.
cat >"$work/other.py" <<'PYTHON'
import http.server, json, socketserver, sys
IDS = ["000000000000000a", "000000000000000b", "000000000000000c"]
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())
    def do_GET(self):
        self.answer(200, {"sessions": [{"id": one, "client": "twin", "inner": []} for one in IDS]})
    def do_DELETE(self):
        gone = self.path.endswith("a")
        self.answer(404 if gone else 200, {"error": {"code": "not_found", "message": "gone"}} if gone else {})
    def address_string(self):
        return ""
socketserver.UnixStreamServer(sys.argv[1], Answer).serve_forever()
PYTHON
other="${socket%/*}/other.${socket#*/qdt0.}"
run server other python3 "$work/other.py" "$other"
other_pid=$pid
wait_for 5 test -S "$other" || fail "the other server does not listen"
check_equal "kick ends all of a name's, whichever have ended meanwhile" "$(server kick --tun other twin)" \
  "session 000000000000000a had ended already
session 000000000000000b has ended
session 000000000000000c has ended"
kill "$other_pid"
ended "$other_pid"
rm "$other"

check "kick of nobody fails" -- test "$(server kick nobody 2>&1)" = "qdt-server: there is no session of nobody"

id=$(server status --json | jq -r '.sessions[0].id')
check "every call is as docs/control.openapi.yaml says" -- \
  on server "$here/openapi.py" "$here/../../docs/control.openapi.yaml" "$socket" "$id"
check "the client is back" -- wait_for 10 works

check_contains "reload" "$(server reload)" "the files are read again: the same certificate"
echo 'addr: [' >>"$work/server.yaml"
try server "$build/qdt-server" reload
check_equal "of a broken file fails" "$status" 1
check_contains "says where" "$output" "nothing is changed: $work/server.yaml:"
write_server_config 'log_json: true'
check "and changes nothing" -- works

# A second server, with a device of its own, has a socket of its own.
sed 's/^addr:.*/addr: ":444"/' "$work/server.yaml" >"$work/second.yaml"
printf '%s\n' 'tun_name: qdt1' 'pool_cidr: 10.9.0.0/24' 'metrics_addr: off' 'health_addr: off' >>"$work/second.yaml"
chmod 600 "$work/second.yaml"
run server second "$build/qdt-server" --config "$work/second.yaml"
second_pid=$pid
wait_for 10 grep -q 'ready: clients are taken' "$work/second.log" || fail "the second server is not ready"
check_equal "two servers are both shown" "$(server status | grep -c 'ready, runs for')" 2
check_equal "and told apart" "$(server status --tun qdt1 --json | jq -r '.status.tun')" qdt1
try server "$build/qdt-server" reload
check_contains "reload asks which" "$output" "several servers run here (qdt0, qdt1): --tun names one"
# shellcheck disable=SC2016  # for the inner shell
run server watch sh -c 'exec "$0" status --watch --json --tun qdt1 2>/dev/null' "$build/qdt-server"
watch_pid=$pid
check "somebody watches" -- wait_for 5 test -s "$work/watch.log"
crash "$second_pid"
try server "$build/qdt-server" status --tun qdt1
check_equal "one that was killed does not run" "$status" 4
run server second "$build/qdt-server" --config "$work/second.yaml"
second_pid=$pid
check "the next takes its place" -- wait_for 10 server status --tun qdt1
watched=$(wc -c <"$work/watch.log")
sees_more() { [ "$(wc -c <"$work/watch.log")" -gt "$watched" ]; }
check "and who watches sees it" -- wait_for 5 sees_more
stop "$watch_pid"
stop "$second_pid"
stop "$client_pid"
stop "$server_pid"
check "nothing is left at the end" -- test ! -e "$socket"
try server "$build/qdt-server" status
check_equal "nobody runs any more" "$status" 4
check_contains "in words" "$output" "no qdt-server runs on this host"
