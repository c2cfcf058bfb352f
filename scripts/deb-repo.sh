#!/bin/sh
# `make repo`: puts the packages that make deb has made into a signed apt repository, a folder that a web
# server can serve as it is. Packages of before stay in it.
# Usage: REPO_KEY=KEY scripts/deb-repo.sh [REPOSITORY [PACKAGES]]   (build/repo, build/deb)
#   KEY: a key of gpg's, by which the repository is signed: its fingerprint, or a part of its name.
# Beside our packages there are the libraries of Debian's that the suite itself has not (on Debian 12: QUIC, from
# its backports), so that users need no other source.
set -eu
cd "$(dirname "$0")/.."
repository=${1:-build/repo}
packages=${2:-build/deb}

fail() {
  echo "repo: $1" >&2
  exit 1
}

[ -n "${REPO_KEY:-}" ] || fail "REPO_KEY names the key that signs it. To make one:
  gpg --quick-generate-key 'NAME of the repository' ed25519 sign 2y
and then: make repo REPO_KEY='NAME of the repository'"
set -- "$packages"/*.deb
[ -e "$1" ] || fail "there are no packages in $packages: make deb builds them"
# shellcheck source=/dev/null
. /etc/os-release
suite=$VERSION_CODENAME
architecture=$(dpkg --print-architecture)
pool=pool/$suite
index=dists/$suite/main/binary-$architecture

mkdir -p "$repository/$pool" "$repository/$index"
cp "$@" "$repository/$pool"
# What they were built against, where it is a backport.
for library in $(for package; do dpkg-deb -f "$package" Depends; done | tr ',|' '\n' | sed 's/(.*//' | sort -u); do
  version=$(dpkg-query -W -f '${Version}' "$library" 2>/dev/null) || continue
  case $version in
    *~bpo*) (cd "$repository/$pool" && apt-get download -qq -o APT::Sandbox::User=root "$library=$version") ;;
  esac
done

cd "$repository"
apt-ftparchive packages "$pool" >"$index/Packages"
gzip --keep --force --no-name "$index/Packages"
rm -f "dists/$suite"/*Release*
apt-ftparchive -o APT::FTPArchive::Release::Origin=QDT -o APT::FTPArchive::Release::Label=QDT \
  -o "APT::FTPArchive::Release::Suite=$suite" -o "APT::FTPArchive::Release::Codename=$suite" \
  -o APT::FTPArchive::Release::Components=main -o "APT::FTPArchive::Release::Architectures=$architecture" \
  release "dists/$suite" >Release
mv Release "dists/$suite"
sign() { gpg --batch --yes --quiet --local-user "$REPO_KEY" "$@" "dists/$suite/Release"; }
sign --clearsign --output "dists/$suite/InRelease"
sign --armor --detach-sign --output "dists/$suite/Release.gpg"
gpg --batch --yes --armor --output qdt.asc --export "$REPO_KEY"
echo "repo: $repository has $(grep -c '^Package:' "$index/Packages") packages for $suite, $architecture; its key is qdt.asc"
