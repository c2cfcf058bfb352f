#!/bin/sh
# Fuzzes each target for a while, from its corpus; a fault leaves its input in build/fuzz/.
# Usage: [FUZZ_SECONDS=60] scripts/fuzz.sh [TARGET...]
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- fuzz/*_fuzz.cc
programs=
for target; do programs="$programs $(basename "$target" _fuzz.cc)_fuzz"; done
# shellcheck disable=SC2086  # a word each
scripts/build.sh fuzz $programs
for target; do
  target=$(basename "$target" _fuzz.cc)
  echo "fuzzing $target for ${FUZZ_SECONDS:-60} s"
  mkdir -p "build/fuzz/corpus/$target"
  "build/fuzz/${target}_fuzz" -max_total_time="${FUZZ_SECONDS:-60}" -print_final_stats=1 -verbosity=0 \
    -timeout=60 -dict=fuzz/words.dict -artifact_prefix="build/fuzz/$target-" "build/fuzz/corpus/$target" "fuzz/corpus/$target"
done
