#!/bin/sh
# Installs the build into a folder that goes afterwards, and checks what is there: programs that run,
# units that systemd understands.
# Usage: deploy/check_install.sh BUILD
set -eu
build=$1
documents=$(dirname "$0")/../docs/operations.md
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

# The units also call these programs of the system's.
install -D -m 755 -t "$root/bin" /bin/sh /bin/chown /bin/chgrp /bin/chmod
install -D -m 755 -t "$root/usr/bin" /usr/bin/find

for prefix in /usr/local /opt/qdt; do
  DESTDIR=$root cmake --install "$build" --prefix "$prefix" >"$root/log" 2>&1 ||
    fail "cmake --install: $(tail -n 5 "$root/log")"
  for program in qdt-server qdt-client; do
    "$root$prefix/bin/$program" --version >/dev/null || fail "$prefix/bin/$program does not run"
    unit=$prefix/lib/systemd/system/$program.service
    grep -q "^ExecStart=$prefix/bin/$program " "$root$unit" || fail "$unit starts another program"
    [ -e "$root/$(sed -n 's/^Documentation=file://p' "$root$unit")" ] ||
      fail "$unit: its documentation is not there"
    # Units of the system's own are not there: what they would say is not of interest.
    complaints=$(systemd-analyze verify --man=no --recursive-errors=no --root="$root" "$unit" 2>&1) ||
      fail "$unit: $complaints"
    [ -z "$complaints" ] || fail "$unit: $complaints"
    # The exposure that systemd sees, in tenths.
    exposure=$(systemd-analyze security --offline=true --no-pager --threshold=15 "$root$unit" 2>&1) ||
      fail "$unit: $(printf '%s' "$exposure" | tail -n 1)"
    echo "ok: $unit"
  done
  [ -e "$root$prefix/lib/sysusers.d/qdt.conf" ] || fail "nothing makes the user qdt"
  # Both programs are the same user: the client's unit hides what is the server's alone. (A certificate is not.)
  hidden=$(grep '^InaccessiblePaths=' "$root$prefix/lib/systemd/system/qdt-client.service")
  files=$(awk -F '|' '/^\| `\/etc\/qdt\/server/ { print $2 }' "$documents" | grep -oE 'server\.[a-z.-]+')
  for file in $(echo "$files" | grep -vx server.crt); do
    echo "$hidden" | grep -qE "/etc/qdt/$file( |\$)" || fail "the client's unit shows the server's $file"
  done
done
