#!/usr/bin/env bash
# Another implementation's client sends its request's body in two pieces and without content-length.
. "$(dirname "$0")/go_peer.sh"

topology
start_server
start_go_client -split-body
check_pings client 10.8.0.1
check_server_dropped_nothing
