#!/usr/bin/env bash
# Somebody flushes the routing rules of others. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/host_changes.sh"

ip -n "$(ns client)" rule delete priority 20804
ip -n "$(ns client)" rule delete priority 20805
check_put_back 'put back: .*rule 2080'
