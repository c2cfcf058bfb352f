#!/bin/sh
# The Windows client, run by Wine: every unit and simulator test, then the program itself against the
# Linux server, in network namespaces (root).
# Usage: scripts/test-windows.sh [--own] [--build|--run] [CTEST-OPTION...]   (both by default)
#   --own: only what Windows has code of its own for: the rest is what Linux compiles and tests too
set -eu
cd "$(dirname "$0")/.."
targets='' tests=''
if [ "${1:-}" = --own ]; then
  shift
  targets='qdt-client stand_in_wintun trust_certificate os_test ops_test client_test'
  tests='^(os|ops|client)_test$|^windows\.'
fi
what=${1:-}
case $what in
  --build | --run) shift ;;
  *) what= ;;
esac

if [ "$what" != --run ]; then
  scripts/windows-libraries.sh
  # The other end, which runs on Linux.
  scripts/build.sh release qdt-server
  # shellcheck disable=SC2086  # a word each
  scripts/build.sh windows $targets
fi
[ "$what" != --build ] || exit 0

# A Wine that was not there yet is made before tests wait for it side by side.
scripts/wine.sh cmd /c exit
scripts/wine.sh --end
scripts/wine.sh --stay
trap 'scripts/wine.sh --end' EXIT
echo "testing windows"
ctest --preset windows ${tests:+-R "$tests"} "$@"
