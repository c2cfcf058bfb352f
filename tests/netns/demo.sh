#!/usr/bin/env bash
# `make demo`: see QDT work. Four hosts on this machine, in network namespaces; the real programs;
# real packets. Everything is taken down at the end, also after Ctrl-C.
. "$(dirname "$0")/topology.sh"

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
show() { printf '  %s\n' "$*"; }
indent() { sed 's/^/  /'; }

step "1. Four hosts: client - router - server - web"
topology
cat >"$work/web.py" <<'PYTHON'
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/file":
            body = open(sys.argv[2], "rb").read()
        else:
            body = f"Hello from the web host. You came from {self.client_address[0]}.\n".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer((sys.argv[1], 80), Page).serve_forever()
PYTHON
head -c 20000000 /dev/urandom >"$work/file"
run web web python3 "$work/web.py" "$web_address" "$work/file"
wait_for 10 on web curl -fsS "http://$web_address/" || fail "the web host's page is not there"
show "the client is 198.51.100.2, the server $server_address, the web host $web_address"
show "the web host knows no way to the tunnel's addresses: without NAT, nothing would come back"

step "2. The server starts for the first time: it writes its own configuration"
mkdir "$work/server" "$work/client"
run server server "$build/qdt-server" --config "$work/server/server.yaml"
server_pid=$pid
wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
sed -n 's/^[0-9].* info  /  /p' "$work/server.log"

step "3. The client takes the client.yaml that the server prints, and connects"
on server "$build/qdt-server" client-config --config "$work/server/server.yaml" \
  --address "$server_address" >"$work/client/client.yaml"
chmod 600 "$work/client/client.yaml"
sed 's/^token:.*/token: (32 random bytes)/' "$work/client/client.yaml" | grep -v '^#' | grep . | indent
run client client "$build/qdt-client" --config "$work/client/client.yaml"
client_pid=$pid
wait_for 10 grep -q ' connected: ' "$work/client.log" || fail "the client is not connected"
sed -n 's/^[0-9].* info  /  /p' "$work/client.log"

step "4. Ping through the tunnel"
ping=$(on client ping -c 5 -i 0.2 -W 2 10.8.0.1) || fail "no ping: $ping"
tail -n 2 <<<"$ping" | indent

step "5. A web page: the web host sees the server, not the client"
page=$(on client curl -fsS --max-time 10 "http://$web_address/") || fail "no page"
show "$page"
case $page in *"from 192.0.2.1."*) ;; *) fail "the page came from another address than the server's" ;; esac

step "6. A file of 20 MB, byte for byte"
on client curl -fsS --max-time 60 -o "$work/copy" "http://$web_address/file" || fail "no file"
cmp "$work/file" "$work/copy" || fail "the file differs"
show "sha256 $(sha256sum <"$work/copy" | cut -c1-32)... on both sides"

step "7. How fast, on this machine's $(nproc) CPUs, with everything on them (iperf3, 3 s each way)"
run web iperf3 iperf3 --server --bind "$web_address"
wait_for 5 on web ss -Hltn "sport = :5201" || fail "iperf3 does not listen"
for direction in up down; do
  options=(--client "$web_address" --time 3 --json)
  [ $direction = up ] || options+=(--reverse)
  on client iperf3 "${options[@]}" >"$work/iperf.json" || fail "iperf3"
  show "$direction: $(jq -r '.end.sum_received.bits_per_second / 1e6 | floor' "$work/iperf.json") Mbit/s"
done

step "8. What the server counted (http://127.0.0.1:9435/metrics)"
on server curl -fsS http://127.0.0.1:9435/metrics |
  grep -E '^qdt_(sessions_active|packets_total|bytes_total|handshakes_total\{result="ok")' | indent
for series in 'qdt_packets_total{direction="up"}' 'qdt_packets_total{direction="down"}'; do
  [ "$(metric "$series")" -gt 1000 ] || fail "$series did not move"
done

step "9. Both stop, and put their hosts back"
stop "$client_pid"
[ "$status" -eq 0 ] || fail "the client's exit status is $status"
stop "$server_pid"
[ "$status" -eq 0 ] || fail "the server's exit status is $status"
! on client ip rule | grep -q 0x514454 || fail "the client left rules behind"
[ -z "$(on server nft list ruleset)" ] || fail "the server left firewall rules behind"
show "no rule, route, firewall table or name server of theirs is left"

step "All of it happened."
