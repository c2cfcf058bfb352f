#!/bin/sh
# Everything that CI runs: the unit and simulator tests under AddressSanitizer, UBSan and
# ThreadSanitizer, the Windows client's by Wine, then the release build with the namespace tests,
# last, so that the output ends with its summary.
set -eu
cd "$(dirname "$0")/.."

for preset in dev tsan; do
  scripts/build.sh "$preset"
  echo "testing $preset"
  ctest --preset "$preset"
done
scripts/test-windows.sh
scripts/build.sh release
echo "testing release"
ctest --preset release
