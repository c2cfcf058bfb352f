#!/usr/bin/env bash
# Another implementation's CONNECT-IP server goes away, and comes back: so does our client's session.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
remember client
start_ip_server
start_key_client "$public_lan"
stop "$go_pid"
check "our client notices that the server goes" -- \
  wait_for 10 grep -q 'reconnecting: the connection was lost: the server is shutting down' "$work/client.log"
start_ip_server
is_connected_again() { [ "$(grep -c 'connected: this host is' "$work/client.log")" -gt 1 ]; }
check "and is there again when the server is" -- wait_for 30 is_connected_again
check "packets pass again" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
stop "$client_pid"
check_unchanged "it puts all back" client
