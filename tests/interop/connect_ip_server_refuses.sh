#!/usr/bin/env bash
# Another implementation's CONNECT-IP server refuses our client, and the client says so.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
make_keys
# refused STATUS WORDS: the server answers with a page of that status, and our client ends with these words.
refused() {
  start_ip_server -refuse "$1"
  try_key_client
  check_contains "the server refuses with $1" "$(cat "$work/go.log")" "refused: $1"
  check "our client ends" -- test "$status" -eq 2 -o "$status" -eq 3
  check_contains "it says that it was not admitted" "$output" "$2"
  stop "$go_pid"
}
refused 404 "not admitted"
refused 403 "not admitted"
refused 503 "not admitted"
refused 200 "the server ended the request without a session"

known=$public_key
make_keys
public_key=$known
start_ip_server
try_key_client
check_contains "a key that the server does not know" "$(cat "$work/go.log")" "refused: 401 an unknown key"
check_equal "our client ends with status 2" "$status" 2
check_contains "and says that it was not admitted" "$output" "not admitted"
