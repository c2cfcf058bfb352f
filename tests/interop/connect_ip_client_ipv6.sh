#!/usr/bin/env bash
# Another implementation's CONNECT-IP client at our server: TCP over IPv6 both ways.
. "$(dirname "$0")/connect_ip_peer.sh"

topology
start_ip_gateway
start_ip_client -key "$private_key"
check_files fd00:8::2 30 "$web_address6"
