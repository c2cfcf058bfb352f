#!/bin/sh
# QDT beside other VPNs (docs/performance.md), or only the micro-benchmarks of its parts.
# Usage: scripts/bench.sh [micro | load]   compare.py --help tells what the environment may choose;
# with `load`: ROWS="sessions storm control handshakes churn greedy floods" CLIENTS=10000
#   SECONDS_EACH=20 ROUNDS=5
set -eu
cd "$(dirname "$0")/.."

scripts/setup.sh build
if [ "${1:-}" = micro ]; then
  scripts/build.sh release qdt_bench
  exec build/release/qdt_bench --benchmark_filter="${FILTER:-.}"
fi
# A VPN that cannot be installed is left out and reported; the rest is compared.
scripts/setup.sh bench || echo "bench: going on with what is installed" >&2
if [ "${1:-}" = load ]; then
  scripts/build.sh release qdt-server qdt-client qdt-load qdt-crowd
  # shellcheck disable=SC2086  # a word each
  exec bench/compare/load.py --clients "${CLIENTS:-10000}" --seconds "${SECONDS_EACH:-20}" --rounds "${ROUNDS:-5}" ${ROWS:-}
fi
scripts/build.sh release qdt-server qdt-client qdt_pace qdt_linkem
exec bench/compare/compare.py
