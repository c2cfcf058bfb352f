#!/usr/bin/env bash
# Somebody switches forwarding off for single interfaces of the server's host, by which answers to
# clients come in, while the switch for all stays on. It is put back within seconds; an interface
# that did not forward before the server does not afterwards.
. "$(dirname "$0")/topology.sh"

topology
on server sysctl -qw net.ipv4.ip_forward=1
on server ip link add inner type veth peer name outer
on server sysctl -qw net.ipv4.conf.inner.forwarding=0
start_server
start_client client 'route_mode: default'
carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }
check "the web is there" -- wait_for 5 carries
for device in $(on server sh -c 'cd /proc/sys/net/ipv4/conf; echo *'); do
  case $device in all | lo | inner) ;; *) on server sysctl -qw "net.ipv4.conf.$device.forwarding=0" ;; esac
done
forwards() { [ "$(on server sysctl -n "net.ipv4.conf.$1.forwarding")" = 1 ]; }
check "the next interface will forward" -- wait_for 5 forwards default
check "the web is there again" -- wait_for 5 carries
check_equal "the log names the setting" \
  "$(grep -c 'put back: .*conf/default/forwarding=1' "$work/server.log")" 1
is_closed() { check_equal "$1" "$(on server sysctl -n net.ipv4.conf.inner.forwarding)" 0; }
is_closed "what did not forward before does not now"
on server sysctl -qw net.ipv4.ip_forward=0
check "the switch for all is put back" -- wait_for 5 forwards all
check "the web is there again" -- wait_for 5 carries
is_closed "nor does that open what was closed"
on server sysctl -qw net.ipv4.conf.inner.forwarding=1
sleep 2.5 # more than the time between two looks
check "somebody may open it" -- forwards inner
check_equal "the session went on" "$(metric 'qdt_handshakes_total{result="ok"}')" 1
