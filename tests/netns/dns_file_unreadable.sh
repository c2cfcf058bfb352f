#!/usr/bin/env bash
# Somebody puts something in the place of resolv.conf that is no file, while the tunnel is up: the log says
# once that the tunnel's name servers are not in force. When there is a file again, they are set, and in
# the end it is as it came.
. "$(dirname "$0")/topology.sh"

topology
private_etc client
in_etc sh -c 'echo "nameserver 198.51.100.1" >/etc/resolv.conf'
start_server 'dns: [192.0.2.53]'
start_client_in_etc client 'route_mode: default'
content() { in_etc cat /etc/resolv.conf; }
has_ours() { [ "$(content 2>/dev/null | grep ^nameserver)" = 'nameserver 192.0.2.53' ]; }
said() { grep -c 'warning: .*/etc/resolv.conf.*not in force' "$work/client.log"; }
check "the tunnel's name servers are in force" -- has_ours

count=0
# becomes WORDS COMMAND: which makes what is no file at /etc/resolv.conf.
becomes() {
  # The client puts its own file back at once, so somebody else has to be quicker, and may need to try again.
  in_etc sh -c "for i in 1 2 3 4 5 6 7 8 9; do rm -rf /etc/resolv.conf; $2 2>/dev/null && exit; done; exit 1" ||
    fail "$1: the client is always quicker"
  count=$((count + 1))
  is_said() { [ "$(said)" = "$count" ]; }
  wait_for 8 is_said || fail "$1: nothing in the log"
  sleep 2.5
  check_equal "$1: the log says it once" "$(said)" "$count"
  in_etc sh -c "rm -rf /etc/resolv.conf && echo 'nameserver 198.51.100.$count' >/etc/resolv.conf"
  wait_for 8 has_ours || fail "$1: the name servers are not set afterwards"
}
becomes "a folder" 'mkdir /etc/resolv.conf'
becomes "a link to itself" 'ln -s resolv.conf /etc/resolv.conf'
stop "$client_pid"
check_equal "an orderly end" "$status" 0
check_equal "in the end, what was written last is there" "$(content)" "nameserver 198.51.100.$count"
