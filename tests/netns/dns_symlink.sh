#!/usr/bin/env bash
# /etc/resolv.conf is a symbolic link, relative, over another link or to a folder that is a link; its
# target is written in place and put back, and every link stays. A loop of links, a folder and a FIFO
# are a warning, and the tunnel comes up.
. "$(dirname "$0")/topology.sh"

topology
private_etc client
start_server 'dns: [192.0.2.53]'
in_etc mkdir /etc/run
# shellcheck disable=SC2016  # for the host's shell
links() { in_etc sh -c 'cd /etc; for name in resolv.conf second folder; do readlink $name || stat -c %F $name; done 2>&1' || true; }

try_links() {
  in_etc sh -c 'printf "search lan.test\nnameserver 198.51.100.1" >/etc/run/resolv.conf'
  local before
  before=$(links)
  start_client_in_etc client 'route_mode: default'
  check_contains "$1: the target has other name servers" "$(in_etc cat /etc/run/resolv.conf)" 'nameserver 192.0.2.53'
  check_equal "$1: the links stay" "$(links)" "$before"
  stop "$client_pid"
  check_equal "$1: the links are there in the end" "$(links)" "$before"
  check_equal "$1: and the target is what it was" "$(in_etc cat /etc/run/resolv.conf)" \
    $'search lan.test\nnameserver 198.51.100.1'
}

in_etc ln -s run/resolv.conf /etc/resolv.conf
try_links "a relative link"
in_etc sh -c 'cd /etc; rm resolv.conf; ln -s /etc/run/resolv.conf second; ln -s ./second resolv.conf'
try_links "a link to a link"
in_etc sh -c 'cd /etc; rm resolv.conf; ln -s run folder; ln -s ../etc/folder/resolv.conf resolv.conf'
try_links "a link through a folder that is one"

for odd in 'ln -s resolv.conf resolv.conf' 'mkdir resolv.conf' 'mkfifo resolv.conf' 'ln -s /dev/null resolv.conf'; do
  in_etc sh -c "cd /etc; rm -rf resolv.conf; $odd"
  before=$(in_etc stat -c '%F %N' /etc/resolv.conf)
  start_client_in_etc client 'route_mode: default'
  check "$odd: a warning" -- grep -q '/etc/resolv.conf.*own stay in force' "$work/client.log"
  stop "$client_pid"
  check_equal "$odd: left as it is" "$(in_etc stat -c '%F %N' /etc/resolv.conf)" "$before"
done
