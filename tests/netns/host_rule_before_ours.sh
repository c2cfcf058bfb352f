#!/usr/bin/env bash
# Somebody puts a rule for everything before the client's rules. It is put back within
# seconds, and not one packet goes around the tunnel meanwhile.
. "$(dirname "$0")/topology.sh"
. "$here/host_changes.sh"

ip -n "$(ns client)" rule add priority 100 lookup main
check_put_back 'rules before rule 100'
