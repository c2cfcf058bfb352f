# shellcheck shell=bash disable=SC2154  # variables of topology.sh
# Sourced after topology.sh by tests of slow, lossy or narrow paths: puts bench/linkem on the cable
# between the router and the server, in place of the cable that topology made.
#
#    client -- router  srv ---- to_router  middle  to_server ---- wan  server
#
# Only the middle's cables have an MTU; what is larger than --max-packet vanishes without ICMP.

# emulate OPTIONS...: from now on; again with other options, in place of those before.
emulate() {
  if [ -z "${linkem_pid:-}" ]; then
    add_host middle
    ip netns exec "$(ns router)" ip link delete srv
    join router srv 203.0.113.1/24 middle to_router 192.0.2.101/32
    join server wan 203.0.113.2/24 middle to_server 192.0.2.102/32
    add_route_home
    mkfifo "$work/changes"
    local host
    for host in router server; do
      on "$host" ethtool -K "$(far_end "$host")" tso off gso off gro off tx-udp-segmentation off >/dev/null
    done
    for host in router server middle; do wait_for 5 is_settled "$host" || fail "$host's links are not up"; done
  else
    kill "$linkem_pid"
    ended "$linkem_pid"
    exec 9>&-
  fi
  : >"$work/linkem.log"
  ip netns exec "$(ns middle)" "$build/qdt_linkem" to_router to_server --seed "$seed" "$@" \
    <"$work/changes" >>"$work/linkem.log" 2>&1 &
  linkem_pid=$!
  exec 9>"$work/changes"
  wait_for 5 grep -q ready "$work/linkem.log" || fail "qdt_linkem does not start: $(cat "$work/linkem.log")"
}

# change_link OPTIONS: of the link as it is, such as "--max-packet 1300", while all goes on.
change_link() {
  say "$1" >&9
  wait_for 5 grep -qe "changed: $1" "$work/linkem.log" || fail "qdt_linkem does not change"
}

far_end() { case $1 in router) echo srv ;; server) echo wan ;; esac; }

# The settings that went with the cable.
add_route_home() {
  ip -n "$(ns server)" route replace default via 203.0.113.1
  ip -n "$(ns router)" -6 address add 2001:db8:2::1/64 dev srv
  ip -n "$(ns server)" -6 address add 2001:db8:2::2/64 dev wan
  ip -n "$(ns server)" -6 route replace default via 2001:db8:2::1
  ip -n "$(ns router)" -6 route replace 2001:db8:3::/64 via 2001:db8:2::2
}
