#!/usr/bin/env bash
# The terminal that the client was started in is closed: the client ends in order. With nohup it goes
# on, although everything that it writes is an error from then on.
. "$(dirname "$0")/topology.sh"

topology
remember client
start_server

# run_in_terminal COMMAND...: in a terminal of its own, which is closed with "kill $terminal". The PID
# of the command is in $pid.
run_in_terminal() {
  : >"$work/terminal.log"
  rm -f "$work/pid"
  python3 - "$work" "$@" >/dev/null 2>&1 <<'PYTHON' &
import os, pty, sys, threading
work, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
with open(work + "/pid.new", "w") as file:
    file.write(str(pid))
os.rename(work + "/pid.new", work + "/pid")
with open(work + "/terminal.log", "ab", buffering=0) as log:
    while True:
        try:
            log.write(os.read(terminal, 4096))
        except OSError:
            break
os.waitpid(pid, 0)
PYTHON
  terminal=$!
  wait_for 10 test -e "$work/pid" || fail "the terminal does not open"
  pid=$(cat "$work/pid")
}
close_terminal() {
  kill -KILL "$terminal"
  wait "$terminal" 2>/dev/null || true
}

write_client_config client 'route_mode: default'
run_in_terminal ip netns exec "$(ns client)" "$build/qdt-client" --config "$work/client.yaml"
wait_for 10 grep -q 'connected: this host is' "$work/terminal.log" || fail "the client is not connected"
close_terminal
check "the client ends with its terminal" -- wait_for 5 is_gone "$pid"
check_unchanged "its host is as it was" client

# nohup(1) would write into a file: here the terminal stays where the log goes.
run_in_terminal sh -c "trap '' HUP; exec ip netns exec $(ns client) $build/qdt-client --config $work/client.yaml"
wait_for 10 grep -q 'connected: this host is' "$work/terminal.log" || fail "the client is not connected"
close_terminal
kill -HUP "$pid"
check "with SIGHUP ignored, it goes on" -- on client ping -c 5 -i 0.3 -W 2 10.8.0.1
before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
sleep 1
after=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
check "and does not spin" -- test $((after - before)) -lt 50
kill -TERM "$pid"
check "SIGTERM ends it" -- wait_for 5 is_gone "$pid"
check_unchanged "its host is as it was" client
