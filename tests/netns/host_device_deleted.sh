#!/usr/bin/env bash
# Somebody deletes the client's device. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/host_changes.sh"

ip -n "$(ns client)" link delete qdt0
check_put_back 'deleted the device qdt0; it is made again'
