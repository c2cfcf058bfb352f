#!/usr/bin/env bash
# Ctrl-C stops the client: it leaves with status 0, tells the server, and takes back every change to the
# network.
. "$(dirname "$0")/topology.sh"

topology
prepare_windows
start_server
start_peer
export QDT_STAND_IN_LOG
QDT_STAND_IN_LOG=$(windows_path "$work/changes.log")
# Everything that was changed so far, a line each.
changes() { tr -d '\r' <"$work/changes.log"; }
was_changed() { changes | grep "$1"; }
start_windows_client

check "everything goes into the tunnel" -- was_changed '^add route 0.0.0.0/1 in$'
check "but for what goes to the server" -- was_changed "^add route $server_address/32 by 198.51.100.1"
check "and nothing else gets out" -- was_changed '^filters [1-9]'

stop "$client_pid" INT
check_equal "stopped by Ctrl-C: 0" "$status" 0
check "it says so" -- grep -q 'Ctrl-C: stopping' "$work/client.log"
check "the server was told" -- wait_for 5 grep -q 'ended: the peer closed the session' "$work/server.log"

# "add address 10.8.0.2/32" is undone by "remove address 10.8.0.2".
undone() { changes | sed -n "s/^$1 \(address [^ /]*\|route [^ ]*\).*/\1/p" | sort; }
check_contains "something was changed" "$(undone add)" "address $(lease client)"
check_equal "each address and route that was added is removed" "$(undone remove)" "$(undone add)"
check_equal "the filters are gone" "$(changes | tail -n 1)" "close filters"
check_equal "and the name servers are put back" "$(was_changed '^set dns v4' | tail -n 1)" "set dns v4"
try_windows --status
check_equal "--status: 4" "$status" 4
check_contains "no client runs" "$output" "no qdt-client runs"
