#!/usr/bin/env bash
# Something on the path sets both ECN bits of every packet (a TOS byte that is overwritten as a
# whole): such marks mean nothing, and neither plane loses or slows down anything for them.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"
. "$here/marks.sh"

marked_path
rewrite "ip ecn set ce"
for plane in auto quic; do marks_test "$plane"; done
check "few packets were dropped for a mark" -- test "$(metric 'qdt_drops_total{reason="path_mark"}')" -lt 10
