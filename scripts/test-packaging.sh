#!/usr/bin/env bash
# `make test-packaging`: builds the Debian packages and a signed repository of them, installs them by apt in a
# clean root of this Debian (debootstrap), and runs them there, on hosts made of network namespaces: first start,
# a client, an upgrade, removal, purge, and all that once more. Everything goes at the end.
# Usage: scripts/test-packaging.sh [PACKAGES]   (a folder with packages that are built already)
# shellcheck disable=SC2016  # for awk and dpkg
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/test-roots.sh packages

root=$storage/root
export GNUPGHOME=$storage/gnupg REPO_KEY='QDT test'

# inside COMMAND...: in the root.
in_root=(chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
  DPKG_FORCE=unsafe-io)
inside() { "${in_root[@]}" "$@"; }
apt_get() { inside apt-get -qq -y -o Acquire::Retries=3 --no-install-recommends "$@" >>"$work/apt.log" 2>&1; }
# quietly WORDS COMMAND...: what fails shows its log.
quietly() { "${@:2}" || fail "$1: $(tail -n 20 "$work/apt.log" | cut -c 1-200)"; }

# What would be downloaded and unpacked for these packages, as apt says it.
sizes() {
  inside apt-get install -qq --no-install-recommends --print-uris "$@" | awk -v name="$1" '{ bytes += $3 }
    END { printf "%s: %d packages, %.1f MB to download\n", name, NR, bytes / 1e6 }'
}

# Every path in the root that is neither of the system that runs there nor of apt's own.
paths() {
  inside find / -xdev '(' -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /repository \
    -o -path /var/lib/apt -o -path /var/cache -o -path /var/log ')' -prune -o -print | sort
}

# --- packages, repository, root ---

packages=${1:-build/deb}
[ $# -gt 0 ] || scripts/deb.sh
version=$(dpkg-deb -f "$packages"/qdt-server_*.deb Version)
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key "$REPO_KEY" ed25519 sign 1d
scripts/deb-repo.sh "$storage/repository" "$packages"

# The same packages with a higher version.
newer=$version+upgrade
mkdir "$storage/newer"
for name in qdt-server qdt-client qdt-tools; do
  dpkg-deb --raw-extract "$packages/${name}"_*.deb "$storage/newer/$name"
  sed -i "s/^Version: .*/Version: $newer/" "$storage/newer/$name/DEBIAN/control"
  dpkg-deb --build -Znone --root-owner-group "$storage/newer/$name" "$storage/newer" >/dev/null
done

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
say "making a clean root of $suite"
make_root "$suite" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
# As udev makes it: everybody may open it, and rights are asked for where a device is made.
mkdir "$root/dev/net"
mknod -m 666 "$root/dev/net/tun" c 10 200
mkdir "$root/repository"
mount --bind "$storage/repository" "$root/repository"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$storage/repository/qdt.asc" "$root/etc/apt/keyrings/qdt.asc"
cat >"$root/etc/apt/sources.list.d/qdt.sources" <<END
Types: deb
URIs: file:///repository
Suites: $suite
Components: main
Signed-By: /etc/apt/keyrings/qdt.asc
END
quietly "apt-get update" apt_get update
check_equal "apt believes the repository by its signature" "$(grep -c '^[WE]:' "$work/apt.log" || true)" 0
for name in qdt-server qdt-client; do sizes $name | tee "$work/$name.size"; done
sizes systemd-standalone-sysusers qdt-server | sed 's/.*:/qdt-server without systemd, as in a container:/'
for name in qdt-server qdt-client; do
  check "$name: at most 25 MB to download" -- awk '{ exit !($(NF - 3) > 1 && $(NF - 3) <= 25) }' "$work/$name.size"
done

# What they need, first: so that the rest is theirs.
needed=$(inside apt-get install -s --no-install-recommends qdt-server qdt-client qdt-tools |
  awk '/^Inst/ && $2 !~ /^qdt-/ { print $2 }')
# shellcheck disable=SC2086  # a list of packages
quietly "what the packages need" apt_get install $needed
paths >"$work/before"

# --- programs in the root ---

topology 1

# The server as its unit starts it: its own user from the start on, with two capabilities and a folder in /run.
start_packaged_server() {
  inside install -d -o qdt -g qdt /run/qdt
  : >"$work/server.log"
  run server server "${in_root[@]}" setpriv --reuid qdt --regid qdt --clear-groups \
    --inh-caps=-all,+net_admin,+net_bind_service --ambient-caps=+net_admin,+net_bind_service \
    --bounding-set=-all,+net_admin,+net_bind_service qdt-server --config /etc/qdt/server.yaml
  server_pid=$pid
  wait_for 20 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
}
start_packaged_client() {
  : >"$work/client.log"
  run client client "${in_root[@]}" qdt-client --config /etc/qdt/client.yaml
  client_pid=$pid
  wait_for 20 grep -q ' connected: ' "$work/client.log" || fail "the client is not connected"
}
pings() { on client ping -q -c 3 -i 0.2 -W 2 "$@"; }

check_files() {
  local file
  check_equal "dpkg finds every file as it was packed" "$(inside dpkg -V qdt-server qdt-client qdt-tools)" ""
  check_equal "the user qdt is there" "$(inside id -nu qdt)" qdt
  for file in /etc/qdt /var/lib/qdt; do
    check_equal "$file" "$(inside stat -c '%U:%G %a' $file)" "qdt:qdt 700"
  done
  for name in qdt-server qdt-client; do
    check_equal "$name --version" "$(inside $name --version)" "$name $version"
    check_equal "nothing starts $name unasked" "$(inside systemctl is-enabled $name 2>&1)" disabled
    check "man $name" -- inside zgrep -q '^\.SH OPTIONS' "/usr/share/man/man8/$name.8.gz"
  done
  for name in qdt-server qdt-client qdt-client@work; do
    check_equal "systemd understands $name.service" "$(inside systemd-analyze verify --man=no \
      --recursive-errors=no "$name.service" 2>&1)" ""
  done
  check "qdt-load runs" -- inside qdt-load --version
  check "qdt-linkem runs" -- inside qdt-linkem --help
  check "qdt-bench runs" -- inside qdt-bench --benchmark_list_tests
}

round() {
  quietly "install" apt_get install --allow-downgrades "qdt-server=$version" "qdt-client=$version" "qdt-tools=$version"
  check_files

  start_packaged_server
  for file in server.yaml server.key server.secret; do
    check_equal "the first start makes $file" "$(inside stat -c '%U %a' /etc/qdt/$file)" "qdt 600"
  done
  on server "${in_root[@]}" qdt-server client-config --config /etc/qdt/server.yaml --address "$server_address" \
    >"$work/client.yaml"
  install -m 600 "$work/client.yaml" "$root/etc/qdt/client.yaml"
  start_packaged_client
  check "a client reaches the server" -- pings 10.8.0.1
  check "and the world behind it" -- pings -s 1300 "$web_address"

  cp "$root/etc/qdt/server.yaml" "$work/server.yaml"
  scripts/deb-repo.sh "$storage/repository" "$storage/newer" >/dev/null
  quietly "update" apt_get update
  quietly "upgrade" apt_get upgrade
  for name in qdt-server qdt-client qdt-tools; do
    check_equal "$name is upgraded" "$(inside dpkg-query -W -f '${Version}' $name)" "$newer"
  done
  check "the session goes on meanwhile" -- pings 10.8.0.1
  check "the configuration stays" -- cmp "$root/etc/qdt/server.yaml" "$work/server.yaml"
  stop "$server_pid"
  check_equal "the server stops" "$status" 0
  start_packaged_server
  check "the client is connected to the new one" -- wait_for 20 pings 10.8.0.1

  stop "$client_pid"
  check_equal "the client stops" "$status" 0
  crash "$server_pid"
  check_contains "a crashed server leaves a firewall table" "$(on server nft list tables)" qdt_qdt0
  on server "${in_root[@]}" apt-get -qq -y remove qdt-server qdt-client qdt-tools >>"$work/apt.log" 2>&1 || fail "remove"
  check_equal "which a removal undoes" "$(on server nft list tables)" ""
  check "the programs are gone" -- eval '! inside which qdt-server qdt-client qdt-load'
  check "the configuration stays after a removal" -- cmp "$root/etc/qdt/server.yaml" "$work/server.yaml"
  # As qdt-client add and up make them; and a file that somebody has made.
  echo "server: $server_address:443" >"$root/etc/qdt/work.yaml"
  echo "ed25519-private:$(head -c 32 /dev/urandom | base64)" >"$root/etc/qdt/.0123456789abcdef.enrolling"
  ln -s /lib/systemd/system/qdt-client@.service \
    "$root/etc/systemd/system/multi-user.target.wants/qdt-client@work.service"
  : >"$root/etc/qdt/my.key"
  quietly "purge" apt_get purge qdt-server qdt-client qdt-tools
  # Not the user: files elsewhere may belong to it (Debian's policy, 9.2).
  check_equal "a purge leaves nothing but a file of the owner's" "$(paths | diff "$work/before" - | grep '^[<>]')" \
    $'> /etc/qdt\n> /etc/qdt/my.key'
  rm -r "$root/etc/qdt"
}

for turn in first second; do
  say "--- the $turn round"
  round
done
say "the packages work"
