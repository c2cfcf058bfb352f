#!/usr/bin/env bash
# Without send_workers a server has a shard for each processor that it may use: as many as its
# affinity leaves it, and its control group's quota is enough for.
. "$(dirname "$0")/topology.sh"

topology
processors=$(nproc)

# shards_of WORDS NUMBER [COMMAND...]: of a server that COMMAND starts.
shards_of() {
  server_command=("${@:3}" "$build/qdt-server")
  start_server 'send_workers: 0'
  check_equal "$1" "$(metric qdt_shards)" "$2"
  stop "$server_pid"
}

shards_of "a shard for each processor" "$((processors < 64 ? processors : 64))"
shards_of "one with one processor" 1 taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')"

# As in a container, which sees its own group's quota there.
# shellcheck disable=SC2016  # for the shell in the mount namespace
shards_of "one with nine tenths of a processor's time" 1 unshare -m sh -c \
  'mount -t tmpfs none /sys/fs/cgroup && echo "90000 100000" >/sys/fs/cgroup/cpu.max && exec "$@"' -
