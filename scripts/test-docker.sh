#!/usr/bin/env bash
# `make test-docker`: builds the Dockerfile's image, without a Docker daemon, and runs server and
# client out of it on hosts made of network namespaces. The base image is made here, too, from this
# machine's Debian mirror, under the name that the Dockerfile has for it. Everything goes at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/test-roots.sh docker

image=localhost/qdt-test
export TMPDIR=$storage STORAGE_DRIVER=vfs
buildah() { command buildah --root "$storage/root" --runroot "$storage/run" "$@"; }

# make_base NAME:SUITE-slim
make_base() {
  local suite=${1#*:} container root
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  make_root "${suite%-slim}" "$root"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb \
    "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/var/log/*.log
  buildah umount "$container" >/dev/null
  buildah commit --quiet --rm "$container" "docker.io/library/$1" >/dev/null
}

# Megabytes of an image's files.
size() {
  local container
  container=$(buildah from --pull-never "$1")
  du -sxm "$(buildah mount "$container")" | cut -f 1
  buildah rm "$container" >/dev/null
}

# config TEMPLATE: of the image, what Docker would read.
config() { buildah inspect --type image --format "$1" "$image"; }

# in_container HOST CONTAINER COMMAND...: as Docker would with network_mode: host on that host.
in_container() {
  ip netns exec "$(ns "$1")" buildah --root "$storage/root" --runroot "$storage/run" \
    run --isolation chroot --network host --cap-add CAP_NET_ADMIN \
    --volume "$work/$2:/etc/qdt" "$2" -- "${@:3}"
}

# start_container HOST COMMAND...: in the background, in a container of its own; its PID in $pid.
# (Not the PID of buildah, which would not pass signals on.)
start_container() {
  local program=$2
  buildah from --pull-never --name "$1" "$image" >/dev/null
  in_container "$1" "$@" >"$work/$1.log" 2>&1 &
  container_pid=$!
  wait_for 20 find_pid "$1" "$program" || fail "$program does not start"
  pid=$(find_pid "$1" "$program")
}
find_pid() {
  local candidate
  for candidate in $(ip netns pids "$(ns "$1")"); do
    if [ "$(cat "/proc/$candidate/comm")" = "$2" ]; then echo "$candidate"; return; fi
  done
  return 1
}

# execute PID COMMAND...: in the container of that process, as `docker exec` would.
execute() {
  local environment
  mapfile -d '' -t environment <"/proc/$1/environ"
  nsenter --target "$1" --all --root --wd env --ignore-environment "${environment[@]}" "${@:2}"
}

# stop_container PID CONTAINER_PID: as `docker stop` would; its exit status in $status.
stop_container() {
  kill -"$(config '{{.Docker.Config.StopSignal}}' | sed s/^SIG//)" "$1"
  ended "$2"
}

base=$(awk '$1 == "FROM" { print $2; exit }' Dockerfile)
say "making $base with debootstrap"
make_base "$base"

say "building the Dockerfile"
buildah bud --isolation chroot --network host --pull-never --format docker --layers=false \
  --build-arg "JOBS=${JOBS:-$(nproc)}" --tag "$image" . >"$work/build.log" 2>&1 || fail "buildah bud"
base_megabytes=$(size "$base")
megabytes=$(size "$image")
say "the image has $megabytes MB, $((megabytes - base_megabytes)) MB more than $base"

topology 1
# As Docker does on its hosts: in the container, /proc/sys cannot be written.
on server sysctl -qw net.ipv4.ip_forward=1
mkdir "$work/server" "$work/client"
read -ra command <<<"$(config '{{range .Docker.Config.Cmd}}{{.}} {{end}}')"
read -ra health <<<"$(config '{{range .Docker.Config.Healthcheck.Test}}{{.}} {{end}}')"
check_equal "the HEALTHCHECK is a command" "${health[0]}" CMD

start_container server "${command[@]}"
server_pid=$pid server_container=$container_pid
check "the server of the image gets ready" -- wait_for 20 fetch server http://127.0.0.1:9436/healthz
check "its HEALTHCHECK says so" -- execute "$server_pid" "${health[@]:1}"
check "its configuration is in the volume" -- test -s "$work/server/server.yaml"

check_equal "there is no compiler" "$(execute "$server_pid" find / -xdev \
  '(' -path /proc -o -path /sys -o -path /dev ')' -prune -o -type f -regextype posix-extended \
  -regex '.*/(cc1|cc1plus|([^/]*-)?(gcc|g\+\+|cpp|clang|as|ld)(-[0-9]+)?|cmake|ninja|make)' \
  -print)" ""
check_equal "every library is there" \
  "$(execute "$server_pid" ldd /usr/local/bin/qdt-server /usr/local/bin/qdt-client |
    grep 'not found' || true)" ""

# The client.yaml that the server prints.
execute "$server_pid" qdt-server client-config --config /etc/qdt/server.yaml \
  --address "$server_address" >"$work/client/client.yaml"
chmod 600 "$work/client/client.yaml"
start_container client qdt-client --config /etc/qdt/client.yaml
client_pid=$pid client_container=$container_pid
wait_for 10 grep -q ' connected: ' "$work/client.log" || fail "the client is not connected"
check "a client out of the same image reaches the server" -- \
  on client ping -c 5 -i 0.2 -W 2 10.8.0.1
check "and the world behind it" -- on client ping -c 5 -i 0.2 -W 2 -s 1400 "$web_address"

stop_container "$client_pid" "$client_container"
check_equal "the client stops at the image's STOPSIGNAL" "$status" 0
stop_container "$server_pid" "$server_container"
check_equal "so does the server" "$status" 0
says_healthy() { in_container server server "${health[@]:1}"; }
check "the HEALTHCHECK fails without it" -- eval '! says_healthy'
check_equal "no firewall rule is left" "$(on server nft list ruleset)" ""
say "the image works"
