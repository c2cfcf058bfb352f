#!/usr/bin/env bash
# A client learns within a round trip of its next packet that the server has been killed and started
# again, from the secret beside the server's configuration; without the file it takes longer.
. "$(dirname "$0")/topology.sh"

topology
start_server
check_contains "the first start makes the secret" "$(cat "$work/server.log")" "server.secret: made"
check_equal "for its owner alone" "$(stat -c %a "$work/server.secret")" 600
start_client client 'route_mode: cidr'
secret=$(cat "$work/server.secret")

stop "$server_pid" KILL
start_server
check_equal "the next start keeps the secret" "$(cat "$work/server.secret")" "$secret"
check_lacks "and says nothing of it" "$(cat "$work/server.log")" "server.secret"
# One packet is enough, where none is lost.
on client ping -c 3 -i 0.2 -W 1 10.8.0.1 >/dev/null || true
check "the client knows at once that this server does not know it" -- \
  wait_for 5 grep -q "does not know this connection any more" "$work/client.log"
kill "$client_pid" 2>/dev/null || true  # unless it has ended by itself
wait "$client_pid" || true
stop "$server_pid"

chmod 644 "$work/server.secret"
start_server
check_contains "a secret that others may read is replaced" "$(cat "$work/server.log")" \
  "server.secret: others may read this secret; it is replaced by a new one"
check_equal "by one for its owner alone" "$(stat -c %a "$work/server.secret")" 600
check "which is another one" -- test "$(cat "$work/server.secret")" != "$secret"
stop "$server_pid"

echo damaged >"$work/server.secret"
start_server
check_contains "so is a damaged one" "$(cat "$work/server.log")" "server.secret: damaged; it is replaced"
stop "$server_pid"
check_equal "and nothing else is left" "$(echo "$work"/server.secret*)" "$work/server.secret"
