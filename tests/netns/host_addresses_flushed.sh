#!/usr/bin/env bash
# Somebody flushes the addresses of the client's device. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/host_changes.sh"

ip -n "$(ns client)" address flush dev qdt0
check_put_back 'put back: .*address 10.8.0'
