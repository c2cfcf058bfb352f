#!/usr/bin/env bash
# A resolv.conf that cannot be written, being read-only, immutable or on a full disk, is a warning with
# its remedy, and the tunnel comes up; as soon as it can be written, name servers are set. With
# dns_required: true the client ends instead. Not a byte of it changes.
. "$(dirname "$0")/topology.sh"

topology
file=$(etc client resolv.conf)
printf 'nameserver 198.51.100.1\n# mine' >"$file"
cp "$file" "$work/old"
start_server 'dns: [192.0.2.53]'

try_all() {
  start_client client 'route_mode: default'
  check "$1: a warning" -- grep -q "/etc/resolv.conf: $2.*own stay in force" "$work/client.log"
  check "the tunnel is up" -- on client ping -c 1 -W 2 10.8.0.1
  check "the file is as it was" -- cmp "$file" "$work/old"
  stop "$client_pid"
  check_equal "an orderly end" "$status" 0
  check "the file is as it was in the end" -- cmp "$file" "$work/old"
  try_client client 'route_mode: default' 'dns_required: true'
  check_equal "dns_required: the client ends" "$status" 1
  check_contains "and says why" "$output" "/etc/resolv.conf: $2"
  check "the file is as it was after that, too" -- cmp "$file" "$work/old"
}

chattr +i "$file" 2>/dev/null && {
  try_all "immutable" "it is immutable"
  chattr -i "$file"
}

mkdir "$work/full"
mount -t tmpfs -o size=8k disk "$work/full"
cp "$file" "$work/full/resolv.conf"
rm "$file" && ln -s "$work/full/resolv.conf" "$file"
mount -o remount,ro "$work/full"
try_all "read-only" "read-only file system"
mount -o remount,rw "$work/full"
rm "$work/full/resolv.conf" && touch "$work/full/resolv.conf" && : >"$work/old"
# The kernel may take a moment to free what was removed.
fill() { head -c 8192 /dev/zero >"$work/full/filler"; } 2>/dev/null
wait_for 5 fill || fail "the disk does not get full"
try_all "a full disk" "the disk is full"
rm -rf "$file"
umount "$work/full"
