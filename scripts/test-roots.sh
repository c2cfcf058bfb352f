# shellcheck shell=bash disable=SC2154  # variables of topology.sh
# Sourced by tests that make whole Debian roots and run programs in them, on hosts made of network namespaces:
# test-packaging.sh, test-docker.sh. Everything goes at the end.
# Usage, in the source tree: . scripts/test-roots.sh NEEDS   (what scripts/setup.sh has to install)
[ "$(id -u)" -eq 0 ] || { echo "$(basename "$0" .sh): makes network namespaces: run it as root" >&2; exit 1; }
scripts/setup.sh "$1"
. tests/netns/topology.sh

# Not in /tmp, which may be memory: these are gigabytes.
storage=$(mktemp -d "/var/tmp/qdt-$(basename "$0" .sh)-XXXXXX")

clean_up_roots() {
  local status=$? host mount
  trap '' INT TERM
  set +e
  for host in "${hosts[@]}"; do
    ip netns pids "$(ns "$host")" | xargs -r kill -KILL
  done
  [ ! -d "$storage/gnupg" ] || GNUPGHOME=$storage/gnupg gpgconf --kill all
  # Also what an interrupted program has left; innermost first.
  awk -v under="$storage/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    while read -r mount; do umount -l "$mount"; done
  rm -rf "$storage"
  clean_up "$status"
}
trap clean_up_roots EXIT

# make_root SUITE FOLDER: a small Debian from this machine's mirror.
make_root() {
  local mirror
  mirror=$(scripts/mirror.sh)
  [ -n "$mirror" ] || fail "no apt source of this system's suite to take a mirror from"
  debootstrap --variant=minbase "$1" "$2" "$mirror" >"$work/debootstrap.log" 2>&1 || fail "debootstrap $1"
}
