#!/bin/sh
# The Windows client, run by Wine: every unit and simulator test, then the program itself against the
# Linux server, in network namespaces (root).
# Usage: scripts/test-windows.sh [--build|--run] [CTEST-OPTION...]   (both by default)
set -eu
cd "$(dirname "$0")/.."
what=${1:-}
case $what in
  --build | --run) shift ;;
  *) what= ;;
esac

if [ "$what" != --run ]; then
  scripts/windows-libraries.sh
  # The other end, which runs on Linux.
  scripts/build.sh release qdt-server
  scripts/build.sh windows
fi
[ "$what" != --build ] || exit 0

# A Wine that was not there yet is made before tests wait for it side by side.
scripts/wine.sh cmd /c exit
scripts/wine.sh --end
scripts/wine.sh --stay
trap 'scripts/wine.sh --end' EXIT
echo "testing windows"
ctest --preset windows "$@"
