#!/bin/sh
# Configures a preset (release, dev, tsan, fuzz) and builds it, or the targets named.
# Usage: scripts/build.sh PRESET [TARGET...]
set -eu
cd "$(dirname "$0")/.."
preset=$1
shift
log=$(mktemp)
cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; exit 1; }
rm -f "$log"
echo "building $preset"
cmake --build --preset "$preset" ${JOBS:+-j "$JOBS"} ${1:+--target "$@"}
