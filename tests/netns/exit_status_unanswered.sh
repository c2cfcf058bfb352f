#!/usr/bin/env bash
# A client with a wrong token whose connection ends without an answer, because too many requests of its
# address wait for theirs, is not refused for good yet: it says that the server is busy, and tries again. Once it
# is answered, it ends with status 2.
. "$(dirname "$0")/topology.sh"

topology
# Answers to a wrong token of one address: one at once, and one in two seconds.
start_server 'handshake_ip_rate: {pps: 0.5, burst: 1}'
# guess: one request after the other, until the file is gone.
guess() {
  while [ -e "$work/guessing" ]; do
    on client timeout 6 "$build/qdt-probe" --token wrong "$server_address:443" >/dev/null 2>&1 || sleep 0.05
  done
}
guessers=()
touch "$work/guessing"
for _ in $(seq 24); do
  guess &
  guessers+=($!)
done
sleep 1
run_client client 'token: some-other-token-0123456789'
wait_for 15 grep -q 'refused: busy: the server ended the connection before it answered; trying again' \
  "$work/client.log" || fail "the client does not say that the server is busy"
check "the client goes on" -- kill -0 "$client_pid"
rm "$work/guessing"
wait "${guessers[@]}"
ended "$client_pid" 30
check_equal "once it is answered: refused" "$status" 2
check_contains "it says so" "$(cat "$work/client.log")" "not admitted: the token is wrong"
