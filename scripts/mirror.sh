#!/bin/sh
# Prints the Debian mirror that this machine's apt sources have for its own suite.
set -eu
# shellcheck source=/dev/null
. /etc/os-release
# shellcheck disable=SC2016  # apt-get's own variables
apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(REPO_URI)' |
  awk -v suite="$VERSION_CODENAME" '$1 == "Packages" && $2 == suite { print $3; exit }'
