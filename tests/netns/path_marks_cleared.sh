#!/usr/bin/env bash
# Something on the path clears the ECN bits of every packet, or turns ECT(0) into ECT(1): the tunnel
# goes without marks, on both planes.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"
. "$here/marks.sh"

marked_path
for bits in not-ect ect1; do
  say "$bits"
  rewrite "ip ecn set $bits"
  for plane in auto quic; do marks_test "$plane"; done
done
