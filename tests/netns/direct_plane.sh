#!/usr/bin/env bash
# The direct data plane between the programs: taken where both sides can, indistinguishable from QUIC
# on the wire, and left where one side is told to.
. "$(dirname "$0")/topology.sh"

topology
# Packets that leave a host are to be seen as a wire would carry them, not as bursts.
on server ethtool -K wan tx-udp-segmentation off gso off >/dev/null
on client ethtool -K eth0 tx-udp-segmentation off gso off >/dev/null
start_server "data_plane: auto"
mkdir "$work/files"
head -c 5000000 /dev/urandom >"$work/files/file"
serve_files web "$web_address"
capture router cl1 wire udp port 443

start_client client "data_plane: auto"
sends_directly() { [ "$(metric qdt_direct_sessions)" = "${1:-1}" ]; }
check "the session takes it" -- wait_for 5 sends_directly
check "5 MB come down" -- fetch client -o "$work/copy" "http://$web_address:8000/file"
check "byte for byte" -- cmp "$work/files/file" "$work/copy"
check "pings are answered" -- on client ping -c 5 -i 0.05 -W 2 "$web_address"
status_of() { on client "$build/qdt-client" --status "$@"; }
tells() { status_of | grep -qE "^  data plane $1(,|\$)"; }
check "the client tells" -- wait_for 10 tells direct
check_contains "scripts, too" "$(status_of --json)" '"data_plane":"direct"'
end_capture
packets() { tshark -r "$work/wire.pcap" "$@" 2>/dev/null | wc -l; }
all=$(packets)
check "the capture has them all ($all packets)" -- test "$all" -gt 3000
check_equal "every one of them is QUIC" "$(packets -Y 'not quic')" 0
check_equal "and none is malformed" "$(packets -Y '_ws.malformed')" 0
check "short headers but for the handshake" -- test "$(packets -Y 'quic.header_form == 0')" -gt $((all - 40))
stop "$client_pid" INT

start_client client "data_plane: quic"
check "a client that is told not to use it does without" -- \
  fetch client -o "$work/copy" "http://$web_address:8000/file"
check "nothing goes directly" -- wait_for 5 sends_directly 0
check "the client tells" -- wait_for 10 tells QUIC
stop "$client_pid" INT
stop "$server_pid"

start_server "data_plane: quic"
try_client client "data_plane: direct"
check "a client that insists says that the server has none" -- test "$status" -ne 0
check_contains "and what to do" "$output" "the server has no direct data plane; set data_plane: auto"
