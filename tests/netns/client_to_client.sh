#!/usr/bin/env bash
# Two clients reach each other through the server, both ways, with packets of every size and TCP.
. "$(dirname "$0")/topology.sh"

topology 2
start_server 'pool_cidr6: fd00:8::/64'
start_client client 'route_mode: cidr'
start_client client2 'route_mode: cidr'
first=$(lease client)
second=$(lease client2)

check "they have two addresses: $first and $second" -- test "$first" != "$second"
for size in 56 1400 4000; do
  check "$size bytes from the first to the second" -- \
    on client ping -c 3 -i 0.2 -W 2 -s "$size" "$second"
  check "$size bytes from the second to the first" -- \
    on client2 ping -c 3 -i 0.2 -W 2 -s "$size" "$first"
done

first6=$(lease6 client)
second6=$(lease6 client2)
for size in 56 1400 4000; do
  check "over IPv6, $size bytes from $first6 to $second6" -- \
    on client ping -c 3 -i 0.2 -W 2 -s "$size" "$second6"
  check "and from the second to the first" -- \
    on client2 ping -c 3 -i 0.2 -W 2 -s "$size" "$first6"
done

mkdir "$work/files"
head -c 5000000 /dev/urandom >"$work/files/file"
serve_files client "$first"
serve_files client2 "$second"
check "a file from the second to the first" -- \
  fetch client -o "$work/copy" "http://$second:8000/file"
check "it is the same" -- cmp "$work/files/file" "$work/copy"
check "a file from the first to the second" -- \
  fetch client2 -o "$work/copy2" "http://$first:8000/file"
check "it is the same" -- cmp "$work/files/file" "$work/copy2"
serve_files client "$first6"
check "over IPv6, a file from the first to the second" -- \
  fetch client2 -o "$work/copy6" "http://[$first6]:8000/file"
check "it is the same" -- cmp "$work/files/file" "$work/copy6"
strays=$(metric 'qdt_stray_total{kind="packet"}')
check_equal "the kernel brought every packet to its shard" "$strays" 0
