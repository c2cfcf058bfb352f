#!/bin/bash
# Runs the tests and says at the end what took how long, how many passed and how many failed.
# Usage: scripts/test.sh [check|test|sanitizers|windows|packages|full]...   (test by default)
#   check: what a developer runs before each commit: style of the changed files, unit tests, a few
#     namespace scripts; under 3 minutes after a small change
#   test: the release build with its unit, simulator and namespace tests; at most 15 minutes
#   sanitizers: unit tests, simulator and namespace tests under AddressSanitizer and UBSan, and what has
#     threads under ThreadSanitizer
#   windows: the Windows client's tests of what Windows has code of its own for, by Wine
#   full: all of it, with every path setting and every script in every form, each fuzz target for 30 s,
#     and the packages
# A step that fails does not keep the next from running. QDT_RESULTS: a folder that collects results
# of several runs for one sum at the end of the last.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

results=${QDT_RESULTS:-$PWD/build/results}
[ -n "${QDT_RESULTS:-}" ] || rm -rf "$results"
mkdir -p "$results"
[ $# -gt 0 ] || set -- test

# Seconds of processor time that ended commands of this script have used so far, in $processor_time. Not
# by $(...), which would tell of the subshell's own.
take_processor_time() {
  times >"$results/times"
  processor_time=$(awk 'NR == 2 { gsub(/[ms]/, " "); printf "%d", 60 * ($1 + $3) + $2 + $4 }' "$results/times")
}

# step NAME COMMAND...: counts as a failed test when the command fails.
step() {
  local name=$1 begun=$SECONDS begun_processor status=0 line
  take_processor_time
  begun_processor=$processor_time
  shift
  echo "--- $name"
  "$@" || status=$?
  take_processor_time
  line=$(printf '%-28s %5d s %7d s of processor time' "$name" $((SECONDS - begun)) \
    $((processor_time - begun_processor)))
  [ "$status" -eq 0 ] || line+="   FAILED"
  echo "$line" | tee -a "$results/steps"
  return "$status"
}

# tests NAME PRESET OPTION...: ctest, with its results kept for the sum.
tests() {
  step "$1" ctest --preset "$2" --test-output-size-passed 200000 --output-junit "$results/$1.xml" "${@:3}"
}

check() {
  step format scripts/lint.sh changed
  step "build release" scripts/build.sh release && tests check release -L 'unit|quick' -LE 'full|long'
}
normal() {
  step "build release" scripts/build.sh release && tests release release -LE full
}
sanitizers() {
  step "build dev" scripts/build.sh dev && tests dev dev "$@"
  step "build tsan" scripts/build.sh tsan && tests tsan tsan "$@"
}
windows() {
  step "build windows" scripts/test-windows.sh "$@" --build &&
    step "test windows" scripts/test-windows.sh "$@" --run --test-output-size-passed 200000 \
      --output-junit "$results/windows.xml"
}

for part; do
  case $part in
    check) check ;;
    test) normal ;;
    sanitizers) sanitizers -LE full ;;
    windows) windows --own ;;
    full)
      step "build release" scripts/build.sh release && tests release release
      sanitizers
      FUZZ_SECONDS=30 step "fuzz, 30 s each" scripts/fuzz.sh
      windows
      step "windows package" scripts/windows-package.sh
      step "debian packages" scripts/test-packaging.sh ;;
    *) echo "usage: $0 [check|test|sanitizers|windows|full]..." >&2; exit 2 ;;
  esac
done

exec scripts/test-summary.py "$results"
