#!/usr/bin/env bash
# Another program loads rules that stop forwarded packets, while the server runs: a firewall that is
# switched on later, Docker. The server cannot mend that; it names them, once, and how to.
. "$(dirname "$0")/topology.sh"

topology
start_server
named() { grep -c "warning: chain $1 stops forwarded packets: $2" "$work/server.log"; }
is_named() { [ "$(named "$@")" -ge 1 ]; }
on server nft 'add table inet fw
  add chain inet fw passing { type filter hook forward priority 0; policy drop; }'
fw_named=("passing of table inet fw" "nft insert rule inet fw passing iifname qdt0 accept")
check "a table that drops is named" -- wait_for 6 is_named "${fw_named[@]}"
on server nft 'add table ip filter
  add chain ip filter DOCKER-USER
  add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
check "so is Docker's" -- wait_for 6 is_named "FORWARD of table ip filter" "iptables -I DOCKER-USER"
check_equal "each is named once" "$(named "${fw_named[@]}")" 1
on server nft 'insert rule ip filter DOCKER-USER iifname qdt0 accept
  insert rule inet fw passing iifname qdt0 accept'
check "their end is told" -- \
  wait_for 6 grep -q 'info  nothing stops forwarded packets any more' "$work/server.log"
