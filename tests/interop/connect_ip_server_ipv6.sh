#!/usr/bin/env bash
# Our client at another implementation's CONNECT-IP server: TCP over IPv6 both ways.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
start_ip_server
start_key_client "$public_lan"
check_files fd00:8::2 30 "$web_address6"
