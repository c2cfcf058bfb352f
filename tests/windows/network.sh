#!/usr/bin/env bash
# The network changes that qdt-client.exe asks Windows for, as the stand-in writes them down, and that
# it takes all of it back: at its end, and by --cleanup after a crash.
. "$(dirname "$0")/topology.sh"

topology
prepare_windows
start_server
start_peer
changes=$work/network.txt
: >"$changes"
QDT_STAND_IN_LOG=$(windows_path "$changes")
export QDT_STAND_IN_LOG
config=('route_mode: default' 'exclude: [100.64.0.0/10]' 'dns: [192.0.2.53]')

asked_for() { tr -d '\r' <"$changes" | grep -Fxq "$1"; }
policy() { wine_on client reg query 'HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DnsPolicyConfig\QDT-qdt0'; }

start_windows_client "${config[@]}"
wait_for 10 grep -q 'set dns v4' "$changes" || fail "no name servers are set: $(cat "$changes")"
for change in "add address $(lease client)/32" "add route $server_address/32 by 198.51.100.1" \
  "add route 100.64.0.0/10 by 198.51.100.1" "add route 0.0.0.0/1 in" "add route 128.0.0.0/1 in" \
  "open filters" "set dns v4 192.0.2.53"; do
  check "it asks for: $change" -- asked_for "$change"
done
wait_for 10 policy || fail "there is no name resolution policy"
check "all names go to the tunnel's name server" -- grep -q '192\.0\.2\.53' <(policy)

kill -INT "$client_pid"
status=0
wait "$client_pid" || status=$?
check_equal "Ctrl-C ends it with 0" "$status" 0
left=$(tr -d '\r' <"$changes" | awk '
  $1 == "add" { left[$2 " " $3] = 1 }
  $1 == "remove" { split($3, part, "/"); for (one in left) if (one == $2 " " $3 || index(one, $2 " " $3 "/") == 1) delete left[one] }
  END { for (one in left) print one }')
check_equal "nothing that it added is left" "$left" ""
check "the filters go with it" -- asked_for "close filters"
! policy >/dev/null 2>&1 || fail "the name resolution policy is left"

# The lease is on the other end of the stand-in, which the client takes for another adapter.
on client ip address flush dev wintun0
start_windows_client "${config[@]}"
wait_for 10 policy || fail "there is no name resolution policy"
stop "$client_pid" KILL
wait_for 10 policy || fail "a crash leaves the policy"
try_windows --cleanup
check_equal "--cleanup: 0" "$status" 0
check_contains "it says what it did" "$output" "name resolution policy QDT-qdt0 removed"
! policy >/dev/null 2>&1 || fail "the name resolution policy is left"
