#!/bin/sh
# Checks scripts/version.sh in trees that go afterwards: without a tag, at one, behind one, without .git.
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
trap 'exit 1' HUP INT TERM
source=$(cd "$(dirname "$0")/.." && pwd)

# check WORDS PATTERN: by what is there, and by what `git archive` makes of it.
check() {
  (cd "$tree/git" && git archive HEAD) | (mkdir "$tree/archive" && tar -xC "$tree/archive")
  for folder in git archive; do
    found=$(unset QDT_VERSION && "$tree/$folder/scripts/version.sh")
    echo "$found" | grep -qxE "$2" || { echo "FAILED: $1, $folder: $found" >&2; exit 1; }
    [ "$(unset QDT_VERSION && "$tree/git/scripts/version.sh")" = "$found" ] ||
      { echo "FAILED: $1: $found is only $folder's" >&2; exit 1; }
  done
  rm -rf "$tree/archive"
  echo "ok: $1: $found"
}

mkdir -p "$tree/git/scripts"
cp "$source/scripts/version.sh" "$tree/git/scripts"
cp "$source/.gitattributes" "$tree/git"
echo 'project(qdt VERSION 0.1.0 LANGUAGES CXX)' >"$tree/git/CMakeLists.txt"
cd "$tree/git"
[ "$(unset QDT_VERSION && scripts/version.sh)" = 0.1.0 ] || { echo "FAILED: a tree without commits" >&2; exit 1; }
git init -q
commit() {
  git add .
  git -c user.name=test -c user.email=test@test.invalid commit -q --allow-empty -m "$1"
}
commit first
check "before a tag" '0\.1\.0~[0-9]{14}\.g[0-9a-f]{7}'
dpkg --compare-versions "$(scripts/version.sh)" lt 0.1.0
git -c user.name=test -c user.email=test@test.invalid tag -a -m '' v0.1.0
check "at a tag" '0\.1\.0'
commit second
check "behind a tag" '0\.1\.0\+1\.g[0-9a-f]{7}'
dpkg --compare-versions "$(scripts/version.sh)" gt 0.1.0
[ "$(QDT_VERSION=7 scripts/version.sh)" = 7 ] || { echo "FAILED: QDT_VERSION" >&2; exit 1; }
