#!/usr/bin/env bash
# With client_to_client: false, no client reaches another: by IPv4 or IPv6, by an address or a port of the
# host that is redirected to the other one, or on a conversation that began while that was allowed. All
# else goes on.
. "$(dirname "$0")/topology.sh"
. "$here/reach.sh"

topology 2
begin() {
  start_server 'pool_cidr6: fd00:8::/64' "$@"
  start_client client 'route_mode: default'
  first_pid=$client_pid
  start_client client2 'route_mode: default'
  if [ -z "${second:-}" ]; then
    second=$(lease client2) second6=$(lease6 client2)
    echo_on client2 0.0.0.0 ::
  fi
  check_equal "the second client has its address" "$(lease client2)" "$second"
}
end() { stop "$client_pid"; stop "$first_pid"; stop "$server_pid"; }
publish() {
  on server nft -f - <<NFT
table inet published {
  chain pre { type nat hook prerouting priority dstnat; ip daddr 203.0.113.2 tcp dport 8080 dnat ip to $second:7007; }
  chain post { type nat hook postrouting priority srcnat; ip daddr $second masquerade; }
}
NFT
}
echo_on web "$web_address" "$web_address6"

begin
check_all "by default, clients reach one another" client "$second" "$second6"
talk_from client "$second"
check "a conversation between them" -- wait_for 5 is_answered
end
begin 'client_to_client: false'
check "does not go on where that is refused" -- is_silent
check_none "nor does another one begin" client "$second" "$second6"
publish
check_equal "nor by a port that the host redirects" "$(answers client tcp:203.0.113.2#8080)" ""
check_equal "which is open to others" "$(answers router tcp:203.0.113.2#8080)" tcp:203.0.113.2#8080
check_all "the world is reached" client "$web_address" "$web_address6"
check_equal "and so is the gateway" "$(answers client ping:10.8.0.1 ping:fd00:8::1)" "ping:10.8.0.1 ping:fd00:8::1"
check_all "the server reaches them" server "$second" "$second6"
on server nft delete table inet published
end
begin 'client_to_client: false' 'nat: {enabled: false}' 'host_access: all' 'deny: []'
check_none "without nat, too" client "$second" "$second6"
