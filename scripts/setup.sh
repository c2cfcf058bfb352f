#!/bin/sh
# Installs everything that building, testing and the demo need, on Debian 12 and 13. Asks nothing,
# may be run again at any time, and does nothing when all is there.
# Usage: scripts/setup.sh [build|all|windows|docker|bench|packages]
#   build: only what compiling needs; all, the default: tests too; windows: only what cross-compiling
#   the Windows client and running it by Wine needs; docker: only what test-docker needs; bench: only
#   what make bench runs: other VPNs, iperf3, perf; packages: what building and testing Debian packages needs
set -eu

what=${1:-all}

# QUIC and HTTP/3: from bookworm-backports on Debian 12.
quic_packages="libngtcp2-dev libngtcp2-crypto-gnutls-dev libnghttp3-dev"
build_packages="g++ cmake ninja-build pkg-config make git python3 ca-certificates
  libgnutls28-dev libmnl-dev libnftables-dev libc-ares-dev libsystemd-dev libidn2-dev libseccomp-dev nlohmann-json3-dev
  libyaml-cpp-dev libfmt-dev libcli11-dev prometheus-cpp-dev libmicrohttpd-dev
  libgoogle-perftools-dev libsqlite3-dev libqrencode-dev libpng-dev"
# Fast ciphers, on the one architecture that they are for.
[ "$(dpkg --print-architecture)" != amd64 ] || build_packages="$build_packages libipsec-mb-dev"
# Clang 19: the first in Debian whose tools and fuzzer understand std::expected.
test_libraries="libgtest-dev libgmock-dev libbenchmark-dev"
test_packages="$test_libraries clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev
  iproute2 iputils-ping iperf3 nftables tcpdump tshark curl jq openssl procps python3-cryptography python3-yaml
  python3-jsonschema
  socat ethtool shellcheck systemd ccache chromium man-db zsh fish zbar-tools fail2ban"
quic_test_packages="ngtcp2-client"
# Another implementation as the peer: quic-go, and a Go whose ClientHello spans two packets.
interop_packages="golang-github-lucas-clemente-quic-go-dev golang-golang-x-crypto-dev"
# The compiler for Windows, what builds the client's libraries from Debian's sources, Wine, and what
# makes installers.
windows_packages="g++-mingw-w64-x86-64-posix cmake ninja-build pkg-config make git ca-certificates
  nasm autoconf automake libtool autopoint gettext patch xz-utils debian-archive-keyring
  wine wine64 osslsigncode openssl nsis zip unzip"
# An image without a Docker daemon, and hosts to run it on.
docker_packages="buildah debootstrap ca-certificates iproute2 iputils-ping nftables curl openssl
  procps"
# Peers to compare with, and what measures them.
bench_packages="$test_libraries openvpn nebula wireguard-tools openssl iproute2 iputils-ping iperf3 ethtool procps
  linux-perf python3 git"
bench_backports_packages="wireguard-go"
# Debian packages, a repository of them, and a clean system to install them on.
deb_packages="debhelper lintian apt-utils gnupg debootstrap iproute2 iputils-ping nftables curl openssl procps"

# shellcheck source=/dev/null
. /etc/os-release
case ${ID:-}${VERSION_ID:-} in
  debian12) is_known=yes backports=bookworm-backports go_package=golang-1.23-go ;;
  debian13) is_known=yes backports='' go_package=golang-go ;;
  *) is_known=no backports='' go_package=golang-go ;;
esac

case $what in
  build) packages=$build_packages quic=$quic_packages ;;
  all)
    packages="$build_packages $test_packages"
    quic="$quic_packages $quic_test_packages $interop_packages $go_package" ;;
  windows) packages=$windows_packages quic='' ;;
  docker) packages=$docker_packages quic='' ;;
  bench) packages=$bench_packages quic=$bench_backports_packages ;;
  packages) packages="$build_packages $test_libraries $deb_packages" quic=$quic_packages ;;
  *) echo "usage: $0 [build|all|windows|docker|bench|packages]" >&2; exit 2 ;;
esac

if [ $is_known = no ]; then
  echo "setup: this is ${PRETTY_NAME:-an unknown system}; it knows Debian 12 and 13." >&2
  # shellcheck disable=SC2086  # lists of packages, which become one line
  echo "setup: elsewhere install the equivalents of:" $packages $quic >&2
  exit 1
fi

is_installed() {
  dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# Debian 12's own ngtcp2 is from before version 1, its own quic-go has no HTTP Datagrams, its own
# wireguard-go neither UDP_GRO nor TUN offloads.
is_outdated() {
  case $1 in
    libngtcp2-dev) needed=1.11 ;;
    golang-github-lucas-clemente-quic-go-dev) needed=0.46 ;;
    wireguard-go) needed=0.0.20231211 ;;
    *) return 1 ;;
  esac
  dpkg --compare-versions "$(dpkg-query -W -f '${Version}' "$1")" lt "$needed"
}

missing=
for package in $packages $quic; do
  if ! is_installed "$package" || is_outdated "$package"; then missing="$missing $package"; fi
done
if [ -z "$missing" ]; then
  echo "setup: everything is there"
  exit 0
fi
echo "setup: installing$missing"

if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif command -v sudo >/dev/null; then
  as_root=sudo
else
  echo "setup: needs root: run it as root, or install sudo" >&2
  exit 1
fi
apt_get() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 \
    -o Acquire::Retries=3 "$@"
}

apt_get update
has_backports() {
  # shellcheck disable=SC2016  # apt-get's own variable
  apt-get indextargets --format '$(RELEASE)' | grep -qx "$backports"
}
if [ -n "$backports" ] && [ -n "$quic" ] && ! has_backports; then
  mirror=$("$(dirname "$0")/mirror.sh")
  if [ -z "$mirror" ]; then
    echo "setup: no apt source for $VERSION_CODENAME found, so none for $backports can be derived;" >&2
    echo "setup: add $backports to the apt sources by hand and run this again" >&2
    exit 1
  fi
  echo "setup: adding $backports to the apt sources"
  printf '%s\n' "Types: deb" "URIs: $mirror" "Suites: $backports" "Components: main" \
    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg" |
    $as_root tee /etc/apt/sources.list.d/qdt-backports.sources >/dev/null
  apt_get update
fi

# tshark's package would ask who may capture.
echo 'wireshark-common wireshark-common/install-setuid boolean false' | $as_root debconf-set-selections
# shellcheck disable=SC2086  # lists of packages
[ -z "$quic" ] || apt_get install --no-install-recommends ${backports:+-t $backports} $quic
# shellcheck disable=SC2086
apt_get install --no-install-recommends $packages
echo "setup: done"
