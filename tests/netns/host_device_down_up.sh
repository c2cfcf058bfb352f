#!/usr/bin/env bash
# Somebody sets the client's device down and up. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/host_changes.sh"

ip -n "$(ns client)" link set qdt0 down
ip -n "$(ns client)" link set qdt0 up
check_put_back 'put back: .*route 0.0.0.0/0'
