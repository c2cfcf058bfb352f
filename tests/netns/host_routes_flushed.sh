#!/usr/bin/env bash
# Somebody flushes the table of the client's routes. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/host_changes.sh"

ip -n "$(ns client)" route flush table 5325908
check_put_back 'put back: .*route 0.0.0.0/0'
