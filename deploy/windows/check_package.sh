#!/usr/bin/env bash
# Makes the package, looks into the zip, and runs the installer and the uninstaller in a Wine of its own.
# Usage: check_package.sh BUILD
set -euo pipefail
build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
export QDT_WINE=$work/wine
clean_up() {
  [ ! -d "$QDT_WINE" ] || WINEPREFIX=$QDT_WINE wineserver -k || true
  rm -rf "$work"
}
trap clean_up EXIT
fail() {
  echo "check_package: $*" >&2
  exit 1
}

"$source/scripts/windows-package.sh"
zip=$(ls "$build"/qdt-*-windows-x86_64.zip)
setup=${zip%.zip}-setup.exe

unzip -q "$zip" -d "$work/zip"
unzipped=$work/zip/$(basename "$zip" .zip)
for file in qdt-client.exe client.example.yaml README.txt LICENSE.txt licences/gnutls28 licences/sources.txt; do
  [ -e "$unzipped/$file" ] || fail "the zip has no $file"
done

wine() { "$source/scripts/wine.sh" "$@"; }
installed="$QDT_WINE/drive_c/Program Files/QDT"
config=$QDT_WINE/drive_c/ProgramData/QDT/client.yaml
client='C:\Program Files\QDT\qdt-client.exe'

# The program of the zip runs where nothing else is.
wine "$unzipped/qdt-client.exe" --version | grep -q '^qdt-client [0-9]' || fail "the program does not run"

wine "$setup" /S || fail "the installer ended with $?"
[ -e "$installed/qdt-client.exe" ] || fail "nothing was installed"
cmp -s "$installed/client.example.yaml" "$config" || fail "there is no example to start from in $config"
status=0
wine "$client" service status >"$work/status" || status=$?
[ "$status" = 3 ] || fail "no service that is stopped: $(cat "$work/status") ($status)"

# Once more over it: the user's own configuration stays.
echo "server: mine.test" >"$config"
wine "$setup" /S || fail "the installer, run again, ended with $?"
grep -q '^server: mine.test' "$config" || fail "the configuration was written over"

# It goes on in a copy of itself, so that it can remove all of it.
wine "$installed/uninstall.exe" /S || fail "the uninstaller ended with $?"
for _ in $(seq 300); do
  [ -e "$installed" ] || break
  sleep 0.1
done
[ ! -e "$installed" ] || fail "left behind: $(ls "$installed")"
[ -e "$config" ] || fail "the uninstaller took the configuration along"
status=0
wine "$unzipped/qdt-client.exe" service status >"$work/status" || status=$?
[ "$status" = 4 ] || fail "the service is still there: $(cat "$work/status") ($status)"
echo "the package installs, keeps the configuration, and leaves nothing else behind"
