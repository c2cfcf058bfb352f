#!/usr/bin/env bash
# A program does not start with a secret that others can read or own, nor with a hook that others could
# replace: it says what to do. A running server goes on with what it has.
. "$(dirname "$0")/topology.sh"

topology
write_server_config
write_client_config client 'timeout: 1s'

# refuses WORDS HOST PROGRAM CONFIG PART...
refuses() {
  local part
  try "$2" "$build/$3" --config "$work/$4"
  check_equal "$1: does not start" "$status" 1
  for part in "${@:5}"; do check_contains "$1: says why" "$output" "$part"; done
}

for config in "server qdt-server server.yaml" "client qdt-client client.yaml"; do
  # shellcheck disable=SC2086  # three words
  for mode in 640 604; do
    chmod "$mode" "$work/${config##* }"
    refuses "a token of mode $mode" $config "${config##* }: holds a secret, and others may read it; chmod 600 $work/"
  done
  chmod 600 "$work/${config##* }"
  chown 12345 "$work/${config##* }"
  # shellcheck disable=SC2086
  refuses "a token of somebody else's" $config "belongs to user ID 12345; chown root $work/"
  chown 0 "$work/${config##* }"
done

chmod 644 "$work/server.key"
refuses "a key that others may read" server qdt-server server.yaml \
  "tls_key: $work/server.key: holds the private key, and others may read it; chmod 600"
chmod 600 "$work/server.key"

start_server
stop "$server_pid"
chown daemon "$work/server.key" "$work/server.secret"
refuses "a key of another user's" server qdt-server server.yaml \
  "tls_key: $work/server.key: holds the private key, and belongs to user ID"
start_server 'user: daemon'
check "both may be the configured user's" -- kill -0 "$server_pid"
check_lacks "and are kept" "$(cat "$work/server.log")" "replaced by a new one"
stop "$server_pid"
chown 0 "$work/server.key" "$work/server.secret"

start_server
chmod 644 "$work/server.key"
kill -HUP "$server_pid"
check "a running server says so as well" -- \
  wait_for 5 grep -q 'SIGHUP: nothing is changed: .*others may read it; chmod 600' "$work/server.log"
chmod 600 "$work/server.key"
kill -HUP "$server_pid"
check "and reads it once nobody else can" -- wait_for 5 grep -q 'SIGHUP: read ' "$work/server.log"

mkdir "$work/hooks"
printf '#!/bin/sh\ntouch %s/ran\n' "$work" >"$work/hooks/up"
chmod 755 "$work/hooks/up"
chmod 777 "$work/hooks"
run_client client "up: [$work/hooks/up]"
check "a hook in a folder that others may write is told" -- \
  wait_for 10 grep -q "others may write $work/hooks, and could have another program run; chmod go-w" "$work/client.log"
check "and not run" -- test ! -e "$work/ran"
kill "$client_pid" 2>/dev/null || true
ended "$client_pid"
chmod 755 "$work/hooks"
start_client client "up: [$work/hooks/up]"
check "one that is safe is run" -- wait_for 5 test -e "$work/ran"
