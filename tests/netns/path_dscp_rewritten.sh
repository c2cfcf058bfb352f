#!/usr/bin/env bash
# Something on the path rewrites the DSCP of every packet, alone and with the ECN bits: it is the
# outer header's affair.
. "$(dirname "$0")/topology.sh"
. "$here/paths.sh"
. "$here/marks.sh"

marked_path
rewrite "ip dscp set cs1"
marks_test auto
rewrite "ip dscp set ef" "ip ecn set ce"
for plane in auto quic; do marks_test "$plane"; done
