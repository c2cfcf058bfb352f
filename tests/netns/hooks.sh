#!/usr/bin/env bash
# up and down: run with what they need in their environment, bounded in time, heard in the log.
. "$(dirname "$0")/topology.sh"

topology
remember client
start_server
hook=$work/hook
cat >"$hook" <<END
#!/bin/sh
env | grep ^QDT_ | sort >"$work/\$1.env"
ip -o address show qdt0 >"$work/\$1.device" 2>&1
echo "hook \$1 was here; \$2"
exit \${3:-0}
END
chmod 700 "$hook"

start_client client "up: [$hook, up, 'two words; \$(reboot)']" "down: [$hook, down]"
env=$(tr '\n' ' ' <"$work/up.env")
check_contains "up knows the address" "$env" "QDT_ADDRESS=10.8.0.2 "
check_contains "the gateway" "$env" "QDT_GATEWAY=10.8.0.1 "
check_contains "the device" "$env" "QDT_DEVICE=qdt0 "
check_contains "the MTU" "$env" "QDT_MTU=1438 "
check_contains "the name servers" "$env" "QDT_DNS=1.1.1.1 8.8.8.8 "
check_contains "the server" "$env" "QDT_SERVER=$server_address:443 "
check_contains "the reason" "$env" "QDT_REASON=connected "
check_contains "the device is there" "$(cat "$work/up.device")" "inet 10.8.0.2"
# shellcheck disable=SC2016  # not for this shell either
check_contains "what it says is logged, what it is given is not touched" "$(cat "$work/client.log")" \
  'hook up was here; two words; $(reboot)'
stop "$client_pid"
check_contains "down knows the reason" "$(cat "$work/down.env")" "QDT_REASON=stopped"
check_contains "and finds the device still there" "$(cat "$work/down.device")" "inet 10.8.0.2"
check_unchanged "afterwards the host is as it was" client

try_client client "up: [$hook, up, x, 7]" "down: [$hook, down]"
check_equal "an up that fails ends the client" "$status" 1
check_contains "it says why" "$output" "up: $hook: ended with status 7"
check_contains "down is run" "$(cat "$work/down.env")" "QDT_REASON=failed"
check_unchanged "and nothing is left" client

start_client client "down: [$hook, down, x, 7]"
stop "$client_pid"
check_equal "a down that fails does not" "$status" 0
check_contains "but is told" "$(cat "$work/client.log")" "down: $hook: ended with status 7"

start_client client 'up: [/bin/sh, -c, "sleep 60 & echo started"]'
check_contains "what a hook leaves running is not waited for" "$(cat "$work/client.log")" "started"
stop "$client_pid"
try_client client 'up: [/nonexistent/program]'
check_equal "a program that is not there ends the client" "$status" 1
check_contains "it says why" "$output" "run /nonexistent/program: No such file"

write_client_config client "up: [$hook, up]"
chmod 622 "$work/client.yaml"
try client "$build/qdt-client" --config "$work/client.yaml"
check_equal "a configuration that others may write runs nothing" "$status" 1
check_contains "it says why" "$output" "others may write it"
check_unchanged "and nothing is left" client
