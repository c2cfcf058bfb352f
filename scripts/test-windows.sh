#!/bin/sh
# The Windows client, run by Wine: every unit and simulator test, then the program itself against the
# Linux server, in network namespaces (root).
set -eu
cd "$(dirname "$0")/.."

scripts/windows-libraries.sh
# What the programs meet on the other side.
scripts/build.sh release qdt-server
# A Wine that was not there yet is made before tests wait for it side by side.
scripts/wine.sh cmd /c exit
scripts/build.sh windows
scripts/wine.sh --end
scripts/wine.sh --stay
trap 'scripts/wine.sh --end' EXIT
echo "testing windows"
ctest --preset windows "$@"
