#!/usr/bin/env bash
# qdt-client.exe as a service: installed, started, asked for its state, stopped, removed.
. "$(dirname "$0")/topology.sh"

topology
prepare_windows
start_server
start_peer
write_windows_config
service() { try_windows service "$@"; }

ends() {  # STATUS WORDS PART
  check_equal "$2: $1" "$status" "$1"
  check_contains "it says so" "$output" "$3"
}

service status
ends 4 "the state of none" "QDT: not installed"
service start
ends 1 "to start none" "it is not installed; qdt-client service install does that"
service install --config "$(windows_path "$work/missing.yaml")"
ends 1 "to install one without a configuration" "there is no configuration"
service run
ends 1 "to run one by hand" "use qdt-client service start"

service install --config "$(windows_path "$work/client.yaml")"
ends 0 "to install it" "the service QDT is installed and will start with Windows"
service install --config "$(windows_path "$work/client.yaml")"
ends 1 "to install it again" "it is installed"
service status
ends 3 "the state of one that does not run" "QDT: stopped"

service start
ends 0 "to start it" "QDT is up"
service status
ends 0 "the state of one that runs" "QDT: running"
try_windows --status
ends 0 "its tunnel is up" "qdt0: connected for"
address=$(printf '%s' "$output" | sed -n 's/.*addresses *\([0-9.]*\),.*/\1/p')
on client ip address add "$address/32" dev wintun0
on client ip route replace 10.8.0.0/24 dev wintun0
check "packets go through it" -- on client ping -c 2 -W 2 10.8.0.1

service stop
ends 0 "to stop it" "QDT stopped"
try_windows --status
ends 4 "the tunnel is gone" "no qdt-client runs"
service stop
ends 0 "to stop it again" "QDT stopped"
# The address is the adapter's again, not that of another interface, for whoever is lent it next.
on client ip address flush dev wintun0

# Its end is told to who starts it.
write_windows_config 'token: some-other-token-0123456789'
service start
ends 1 "to start one that the server refuses" "it has ended"
check_contains "and where to look" "$output" "the event log"

# Windows starts it by itself.
write_windows_config
halt_windows
boot_windows
is_running() { service status; [ "$status" -eq 0 ]; }
wait_for 30 is_running || fail "Windows does not start the service: $output"
say "ok: Windows starts it by itself"

service uninstall
ends 0 "to remove it" "uninstalled QDT"
service status
ends 4 "the state of none" "QDT: not installed"
