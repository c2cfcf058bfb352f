#!/bin/sh
# Prints the version of this tree:
#   0.1.0                            at the tag v0.1.0
#   0.1.0+12.g1234567                12 commits later
#   0.1.0~20261130085959.g1234567    before there is a tag: the time and the hash of the commit. By Debian's rules, which
#                                    packages go by, that is older than 0.1.0
# In what `git archive` has made it is the same. A tree that knows of no commit at all has the number in CMakeLists.txt.
# QDT_VERSION takes the place of all that.
# shellcheck disable=SC2016  # for git archive
set -eu
cd "$(dirname "$0")/.."

# The tree may be another user's: sudo make install.
of_git() { git -c 'safe.directory=*' "$@" 2>/dev/null || :; }

# `git archive` writes here.
described='$Format:%(describe:match=v[0-9]*,abbrev=7)$'
commit='$Format:%ct %H$'
if [ -e .git ]; then
  described=$(of_git describe --match 'v[0-9]*' --abbrev=7)
  commit=$(of_git log -1 --format='%ct %H')
fi
number=$(sed -n 's/^project(qdt VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)

case ${QDT_VERSION:+given}$described$commit in
  given*) echo "$QDT_VERSION" ;;
  v*) echo "${described#v}" | sed 's/-\([0-9]*\)-g/+\1.g/' ;;
  [0-9]*) echo "$number~$(date -u -d "@${commit% *}" +%Y%m%d%H%M%S).g$(echo "${commit#* }" | cut -c 1-7)" ;;
  *) echo "$number" ;;
esac
