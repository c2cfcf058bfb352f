#!/bin/sh
# Layout, slips, shell: clang-format, clang-tidy and shellcheck over all that git tracks.
# Usage: scripts/lint.sh [format|shell|tidy|changed]...   (the first three by default)
#   changed: format and shell, only the files that differ from the last commit
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- format shell tidy

# changed PATTERN...: files that git has or should have, and that differ from the last commit.
changed() {
  { git diff --name-only --diff-filter=d HEAD -- "$@" && git ls-files --others --exclude-standard -- "$@"; }
}

# What is shell: scripts, and those that dpkg runs.
shell="*.sh .ci/run debian/*.postinst debian/*.prerm debian/*.postrm"

for check; do
  case $check in
    format)
      echo "clang-format"
      git ls-files '*.cc' '*.h' | xargs clang-format-19 --dry-run --Werror ;;
    shell)
      echo "shellcheck"
      # shellcheck disable=SC2086  # patterns for git
      (set -f && git ls-files -- $shell) | xargs shellcheck --external-sources ;;
    changed)
      echo "clang-format and shellcheck of what has changed"
      changed '*.cc' '*.h' | xargs -r clang-format-19 --dry-run --Werror
      # shellcheck disable=SC2086
      (set -f && changed $shell) | xargs -r shellcheck --external-sources ;;
    tidy)
      echo "clang-tidy"
      cmake --preset release >/dev/null
      # The compilation database is GCC's: its warnings and precompiled headers are not Clang's.
      # The files for Windows alone are in no database of Clang's target.
      git ls-files 'src/*.cc' 'apps/*.cc' ':!src/os/windows' ':!apps/windows' | xargs -P "${JOBS:-$(nproc)}" -n 4 clang-tidy-19 --quiet \
        -p build/release --extra-arg=-Wno-unknown-warning-option \
        --extra-arg=-Wno-ignored-gch 2>/dev/null ;;
    *) echo "usage: $0 [format|shell|tidy|changed]..." >&2; exit 2 ;;
  esac
done
echo "nothing found"
