#!/usr/bin/env bash
# Nobody reads the log: a pipe that is full holds up neither packets nor sessions nor the end, and once
# it is read again, the log says how many lines were lost.
. "$(dirname "$0")/topology.sh"

topology
remember client
remember server
mkfifo "$work/pipe"
# Fills the pipe, and reads it only when it is told to.
python3 - "$work/pipe" "$work/server.log" "$work/read" <<'PYTHON' &
import os, sys, time
pipe = os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)
try:
    while True:
        os.write(pipe, b"." * 4096)
except BlockingIOError:
    pass
open(sys.argv[3] + ".full", "w").close()
while not os.path.exists(sys.argv[3]):
    time.sleep(0.05)
os.set_blocking(pipe, True)
with open(sys.argv[2], "ab", buffering=0) as log:
    while True:
        log.write(os.read(pipe, 65536))
PYTHON
wait_for 10 test -e "$work/read.full" || fail "the pipe does not fill"

write_server_config
ip netns exec "$(ns server)" "$build/qdt-server" --config "$work/server.yaml" >"$work/pipe" 2>&1 &
server_pid=$!
check "a server whose log nobody reads starts" -- wait_for 10 fetch server http://127.0.0.1:9436/healthz
start_client client 'route_mode: cidr'
check "it carries packets" -- on client ping -c 3 -i 0.2 -W 2 10.8.0.1
# More than can wait: each line tells of a hundred faults.
for i in $(seq 100); do echo "no_such_key_$i: true" >>"$work/server.yaml"; done
for _ in $(seq 20); do kill -HUP "$server_pid"; sleep 0.05; done
write_server_config
check "it carries packets after many lines" -- on client ping -c 3 -i 0.2 -W 2 10.8.0.1
touch "$work/read"
wait_for 5 grep -q 'ready: clients are taken' "$work/server.log" || kill -HUP "$server_pid"
check "what waited is in the log" -- wait_for 5 grep -aq 'ready: clients are taken' "$work/server.log"
tells_of_loss() {
  kill -HUP "$server_pid"
  grep -aqE 'warning: [1-9][0-9]* lines of this log were lost' "$work/server.log"
}
check "how many lines were lost, too" -- wait_for 5 tells_of_loss
stop "$client_pid"

# The end, with a full pipe again, and a client that has to say why it ends.
rm "$work/read" "$work/read.full"
mkfifo "$work/full"
exec 9<>"$work/full"
dd if=/dev/zero of="$work/full" oflag=nonblock bs=4096 2>/dev/null || true
write_client_config client 'route_mode: default'
ip netns exec "$(ns client)" "$build/qdt-client" --config "$work/client.yaml" >"$work/full" 2>&1 9>&- &
client_pid=$!
check "a client whose log nobody reads connects" -- wait_for 10 on client ping -c 1 -W 1 10.8.0.1
stop "$client_pid"
check_equal "it ends in order" "$status" 0
check "in time" -- test "$milliseconds" -lt 3000
check_unchanged "its host is as it was" client
write_client_config client 'token: another-token-0123456789abcdef'
ip netns exec "$(ns client)" "$build/qdt-client" --config "$work/client.yaml" >"$work/full" 2>&1 9>&- &
ended $!
check_equal "one that is refused ends, too" "$status" 2
stop "$server_pid"
check_equal "the server ends in order" "$status" 0
check_unchanged "its host is as it was" server
