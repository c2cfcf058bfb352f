#!/usr/bin/env bash
# A file that cannot be read is named with the system's reason, in one line, and no file holds a
# program up or fills its memory: folders, pipes, devices, links, empty and binary files.
. "$(dirname "$0")/topology.sh"

topology
write_server_config
cp "$work/server.yaml" "$work/good.yaml"
mkdir "$work/folder"
mkfifo "$work/pipe"
ln -s "$work/loop" "$work/loop"
: >"$work/empty"
head -c 4096 /dev/urandom >"$work/binary"

# refused WORDS FILE PART: as the configuration of both programs.
refused() {
  local program
  for program in server client; do
    try "$program" "$build/qdt-$program" --check-config --config "$2"
    check_equal "$1 as $program.yaml ends with status 1" "$status" 1
    check_contains "it is named with the reason" "$output" "$3"
    check "in few lines" -- test "$(wc -l <<<"$output")" -le 3
  done
}
refused "a missing file" "$work/missing" "read $work/missing: No such file or directory"
refused "a folder" "$work/folder" "read $work/folder: Is a directory"
refused "a link to itself" "$work/loop" "read $work/loop: Too many levels of symbolic links"
refused "a file below a file" "$work/empty/x" "read $work/empty/x: Not a directory"
refused "an endless device" /dev/zero "read /dev/zero: larger than 1048576 bytes"
refused "an empty file" "$work/empty" "$work/empty: "
refused "a binary file" "$work/binary" "$work/binary"
truncate -s 10G "$work/huge"
refused "a huge file" "$work/huge" "read $work/huge: larger than 1048576 bytes"
try client "$build/qdt-client" --check-config --config "$work/pipe"
check_equal "a pipe that nobody writes to ends with status 1" "$status" 1
check_contains "after a while" "$output" "read $work/pipe: nothing was written to it for 5 s"
(exec >"$work/pipe"; for _ in $(seq 100); do sleep 0.1; echo '#'; done) 2>/dev/null &
try client "$build/qdt-client" --check-config --config "$work/pipe"
check_contains "nor does one that brings a little now and then hold it up" "$output" \
  "read $work/pipe: whoever writes to it has not come to an end within 5 s"
wait $! || :  # its pipe is broken
cat "$work/good.yaml" >"$work/pipe" &
try server "$build/qdt-server" client-config --config "$work/pipe" --address vpn.test
check_equal "a pipe that brings the configuration is read" "$status" 0

# A file that the server can do without costs it a warning, and not the start.
rm -rf "$work/server.secret" "$work/server.leases"
mkdir "$work/server.secret" "$work/server.leases"
start_server
check_contains "a secret that cannot be read is named" "$(cat "$work/server.log")" "read $work/server.secret: Is a directory"
check_contains "a lease file likewise" "$(cat "$work/server.log")" "read $work/server.leases: Is a directory"
start_client client 'route_mode: none'
say "ok: clients are served"
