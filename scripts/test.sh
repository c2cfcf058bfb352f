#!/bin/bash
# Everything that CI runs: the unit and simulator tests under AddressSanitizer, UBSan and
# ThreadSanitizer, the Windows client's by Wine, then the release build with the namespace tests,
# last, so that the output ends with its summary. Says what took how long.
set -euo pipefail
cd "$(dirname "$0")/.."

begun=$SECONDS
step() {
  "$@"
  echo "$*: $((SECONDS - begun)) s"
  begun=$SECONDS
}

for preset in dev tsan; do
  step scripts/build.sh "$preset"
  step ctest --preset "$preset"
done
step scripts/test-windows.sh
step scripts/build.sh release
ctest --preset release
