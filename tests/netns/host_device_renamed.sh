#!/usr/bin/env bash
# Somebody renames the client's device. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/host_changes.sh"

ip -n "$(ns client)" link set qdt0 down
ip -n "$(ns client)" link set qdt0 name other0 || true
check_put_back 'put back|has its name again'
