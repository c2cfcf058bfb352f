#!/usr/bin/env bash
# The guard of route_mode default is its process's own: nobody else can flush, delete or change it.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

topology
remember client
count_around
start_server 'dns: []'
start_client client 'route_mode: default'
before=$(around)
on client nft flush ruleset
insist client
check_equal "nft flush ruleset: not one packet gets out" "$(($(around) - before))" 0
# shellcheck disable=SC2046  # names without spaces
for table in $(on client nft list tables | awk '{ print $3 }'); do
  on client nft delete table inet "$table" 2>/dev/null || true
  on client nft flush table inet "$table" 2>/dev/null || true
done
insist client
check_equal "nor one when each table is deleted by its name" "$(($(around) - before))" 0
check "the tunnel carries as before" -- on client ping -c 2 -i 0.2 -W 2 "$web_address"
stop "$client_pid"
check_unchanged "in the end nothing is left of it" client
