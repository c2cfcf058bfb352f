#!/bin/sh
# Configures a preset (release, dev, tsan, fuzz) and builds it, or the targets named.
# Usage: scripts/build.sh PRESET [TARGET...]
# The programs alone need no test libraries: for them a new folder is configured without the tests, and
# with them as soon as anything else is built there.
set -eu
cd "$(dirname "$0")/.."
preset=$1
shift
tests=ON
case "$*" in
  'qdt-server qdt-client qdt-load' | 'qdt-server qdt-client' | qdt-server | qdt-client)
    grep -qs '^QDT_TESTS:BOOL=ON' "build/$preset/CMakeCache.txt" || tests=OFF ;;
esac
log=$(mktemp)
cmake --preset "$preset" -DQDT_TESTS=$tests >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; exit 1; }
rm -f "$log"
echo "building $preset"
cmake --build --preset "$preset" ${JOBS:+-j "$JOBS"} ${1:+--target "$@"}
