#!/usr/bin/env bash
# Another implementation's server refuses our client, and the client says why.
. "$(dirname "$0")/go_peer.sh"

topology
start_go_server
try_client client 'token: some-other-token-0123456789'
check_equal "our client with a wrong token ends with status 2" "$status" 2
check_contains "it says why" "$output" \
  "qdt-client: refused by the server: unauthorized: the token is wrong"
check_contains "the server does, too" "$(cat "$work/go.log")" 'refused: 401 unauthorized'
