#!/usr/bin/env bash
# 100 MB of TCP each way arrive as they were, and towards the Windows client in joined packets.
. "$(dirname "$0")/topology.sh"

topology
prepare_windows
mkdir -p "$work/files"
head -c 100000000 /dev/urandom >"$work/files/hundred"
sum=$(sha256sum <"$work/files/hundred")
serve_files web "$web_address"
start_server
start_peer
start_windows_client

begun=$SECONDS
check_equal "100 MB from the world are what they were" \
  "$(on client curl -sS --fail --noproxy '*' --max-time 100 "http://$web_address:8000/hundred" | sha256sum)" "$sum"
say "in $((SECONDS - begun)) s"
largest=$(sed -n 's/^largest packet: //p' "$work/peer.log" | tail -n 1)
check "they came in packets larger than the path carries (up to $largest bytes)" -- test "$largest" -gt 10000

cat >"$work/receive.py" <<'PYTHON'
import hashlib, socket, sys
listener = socket.create_server((sys.argv[1], 9000))
connection, _ = listener.accept()
digest = hashlib.sha256()
while piece := connection.recv(1 << 20):
    digest.update(piece)
connection.sendall(digest.hexdigest().encode())
PYTHON
run web receiver python3 "$work/receive.py" "$web_address"
is_listening() { [ -n "$(on web ss -Hltn 'sport = :9000')" ]; }
wait_for 10 is_listening || fail "nobody listens on web"
cat >"$work/send.py" <<'PYTHON'
import socket, sys
connection = socket.create_connection((sys.argv[1], 9000))
with open(sys.argv[2], "rb") as file:
    connection.sendfile(file)
connection.shutdown(socket.SHUT_WR)
print(connection.recv(100).decode() + "  -")
PYTHON
begun=$SECONDS
check_equal "100 MB to the world are, too" \
  "$(on client timeout 100 python3 "$work/send.py" "$web_address" "$work/files/hundred")" "$sum"
say "in $((SECONDS - begun)) s"
