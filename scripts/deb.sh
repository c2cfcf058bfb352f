#!/bin/sh
# `make deb`: Debian packages of this tree in build/deb, looked at by lintian: qdt-server, qdt-client, qdt-tools,
# and their debug information.
# Usage: scripts/deb.sh
set -eu
cd "$(dirname "$0")/.."
folder=build/deb
log=$folder/log

rm -rf $folder
mkdir -p $folder
# The same tree makes the same packages.
[ ! -e .git ] || SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH DEB_FOLDER=$folder
echo "deb: building $(scripts/version.sh)"
debian/rules clean binary >$log 2>&1 || { tail -n 30 $log >&2; exit 1; }
debian/rules clean >>$log 2>&1
lintian --fail-on error,warning --tag-display-limit 0 $folder/*.deb
ls -sh1 $folder/*.deb
