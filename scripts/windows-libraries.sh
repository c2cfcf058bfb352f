#!/bin/bash
# Cross-compiles the libraries that the Windows client is made of, from Debian's source packages,
# into a prefix that is kept: a second run does nothing, one that was interrupted goes on where it
# stopped, and a prefix is only ever seen whole.
# Usage: scripts/windows-libraries.sh [--print]
#   --print: only prints where the prefix is, or will be
# QDT_CACHE: the folder that keeps them, in windows-libraries, where `current` is the prefix; the user's
#   ~/.cache/qdt if not set, so that every clone has the same. Remove it to build anew, with Debian's
#   newest corrections.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${QDT_CACHE:-${XDG_CACHE_HOME:-${HOME:-$PWD/build}/.cache}/qdt}
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
root=$cache/windows-libraries
if [ "${1:-}" = --print ]; then
  echo "$root/current"
  exit 0
fi

host=x86_64-w64-mingw32
compiler=$host-gcc-posix
jobs=${JOBS:-$(nproc)}

fail() {
  printf 'windows-libraries: %s\n' "$@" >&2
  exit 1
}

for program in "$compiler" "$host-g++-posix" nasm cmake ninja autoreconf autopoint make patch; do
  command -v "$program" >/dev/null ||
    fail "there is no $program here; scripts/setup.sh windows installs it"
done

# This script and the compiler make a prefix. Another of either makes another one.
key=$({ cat scripts/windows-libraries.sh && "$compiler" --version; } | sha256sum | cut -c 1-12)
finished=$root/$key
if [ -e "$finished/complete" ]; then
  ln -sfn "$key" "$root/current"
  echo "windows-libraries: everything is there"
  exit 0
fi

mkdir -p "$root"
# Two at once would build into one folder.
exec 9>"$root/lock"
flock -n 9 || { echo "windows-libraries: waiting for another run"; flock 9; }
if [ -e "$finished/complete" ]; then exit 0; fi

prefix=$root/$key.unfinished
work=$root/$key.work
mkdir -p "$prefix/lib/pkgconfig" "$prefix/built" "$work/download"
started=$SECONDS
echo "windows-libraries: building into $finished, once, in five to ten minutes"

# ---- sources -------------------------------------------------------------------------------------

# The mirror that this machine uses already for a suite of Debian 12 or 13, which has the others, too.
mirror_of() {
  # shellcheck disable=SC2016  # apt-get's own variables
  apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(REPO_URI)' |
    awk -v suite="$1" '$1 == "Packages" && $2 ~ "^(bookworm|trixie)" suite "$" { print $3; exit }'
}

# apt_for SUITE COMMAND...: apt with the sources of one suite, its updates and its corrections, in
# folders of its own: the machine's configuration says which mirror, proxy and keys, and stays as is.
apt_for() {
  local suite=$1 folder=$work/apt/$1
  shift
  if [ ! -e "$folder/apt.conf" ]; then
    mkdir -p "$folder/lists/partial" "$folder/cache"
    local mirror security
    mirror=$(mirror_of '')
    security=$(mirror_of -security)
    [ -n "$mirror" ] || fail "apt has no source for Debian 12 or 13, so none for $suite can be derived;" \
      "add one to the apt sources and run this again"
    local signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    echo "deb-src $signed $mirror $suite main" >"$folder/sources.list"
    case $suite in
      *-backports) ;;
      *)
        [ -z "$security" ] ||
          echo "deb-src $signed $security $suite-security main" >>"$folder/sources.list" ;;
    esac
    printf '%s\n' "Dir::Etc::SourceList \"$folder/sources.list\";" 'Dir::Etc::SourceParts "/dev/null";' \
      "Dir::State::Lists \"$folder/lists\";" "Dir::Cache \"$folder/cache\";" \
      'Acquire::Retries "3";' 'Acquire::Languages "none";' >"$folder/apt.conf.new"
    APT_CONFIG=$folder/apt.conf.new apt-get -qq --error-on=any update >"$folder/log" 2>&1 || {
      cat "$folder/log" >&2
      fail "the list of $suite's source packages could not be read from $mirror"
    }
    mv "$folder/apt.conf.new" "$folder/apt.conf"
  fi
  APT_CONFIG=$folder/apt.conf "$@"
}

# download SUITE PACKAGE FILE-PATTERN: one file of a source package, by the name and the hash that the
# suite's signed index has for it. Prints its path.
download() {
  local suite=$1 package=$2 pattern=$3 uri name hash
  apt_for "$suite" true
  read -r uri name hash < <(apt_for "$suite" apt-get source --print-uris --only-source "$package" 2>/dev/null |
    sed -n "s/^'\(.*\)' \([^ ]*$pattern\) [0-9]* \(SHA256:[0-9a-f]*\)\$/\1 \2 \3/p" | head -n 1) || true
  [ -n "${hash:-}" ] || fail "$suite's source packages have no $package with a file $pattern"
  local path=$work/download/$name
  if [ ! -e "$path" ]; then
    # A server may stumble; a wrong hash or a missing file stays one.
    /usr/lib/apt/apt-helper -o Acquire::Retries=3 download-file "$uri" "$path.new" "$hash" \
      >"$work/download/log" 2>&1 || {
      cat "$work/download/log" >&2
      fail "$name of $package was not to be had from $suite, or is not what its index says"
    }
    mv "$path.new" "$path"
  fi
  echo "$path"
}

# unpack SUITE PACKAGE [patched]: the upstream source in $work/PACKAGE, with Debian's corrections if
# asked for: where they mend faults, not where they fit upstream's build to Debian's.
unpack() {
  local suite=$1 package=$2 folder=$work/$2 archive
  rm -rf "$folder"
  mkdir -p "$folder"
  archive=$(download "$suite" "$package" '\.orig\.tar\.[gx]z')
  tar -x -f "$archive" -C "$folder" --strip-components=1
  basename "$archive" >>"$prefix/sources"
  mkdir -p "$prefix/licences/$package"
  find "$folder" -maxdepth 2 -type f \( -name 'COPYING*' -o -name 'LICENSE*' \) ! -name '*.h' \
    -exec cp {} "$prefix/licences/$package" \;
  [ "${3:-}" = patched ] || return 0
  archive=$(download "$suite" "$package" '\.debian\.tar\.xz')
  tar -x -f "$archive" -C "$folder"
  basename "$archive" >>"$prefix/sources"
  local name
  while read -r name; do
    patch -d "$folder" -p1 -f -s --no-backup-if-mismatch <"$folder/debian/patches/$name"
  done < <(sed 's/[ #].*//; /^$/d' "$folder/debian/patches/series")
}

# Where each library's source comes from. Of nghttp3 the Linux build's own version, 1.8, is not to be
# had from every mirror; the part of its interface that QDT uses is the same.
declare -A source_of=(
  [nettle]="bookworm nettle" [libtasn1]="bookworm libtasn1-6 patched" [gnutls]="bookworm gnutls28 patched"
  [ngtcp2]="trixie ngtcp2 patched" [nghttp3]="trixie-backports nghttp3" [ipsec_mb]="bookworm intel-ipsec-mb"
  [yaml_cpp]="bookworm yaml-cpp" [fmt]="bookworm fmtlib"
  [googletest]="bookworm googletest" [json]="bookworm nlohmann-json3" [cli11]="bookworm cli11")

# ---- builds --------------------------------------------------------------------------------------

# Windows 10; functions and variables in sections, so that the linker can leave out what nobody calls.
flags="-O2 -D_WIN32_WINNT=0x0A00 -ffunction-sections -fdata-sections"
export PKG_CONFIG_LIBDIR=$prefix/lib/pkgconfig PKG_CONFIG_PATH=

configure() {
  ./configure --host=$host --prefix="$prefix" --libdir="$prefix/lib" --enable-static --disable-shared \
    CC=$compiler CXX=$host-g++-posix CFLAGS="$flags" CXXFLAGS="$flags" \
    CPPFLAGS="-I$prefix/include" LDFLAGS="-L$prefix/lib" "$@"
}

build_nettle() {
  cd "$work/nettle"
  configure --enable-mini-gmp --enable-fat --disable-documentation --disable-openssl
  make -j "$jobs" SUBDIRS=
  make SUBDIRS= install
}

build_libtasn1() {
  cd "$work/libtasn1-6"
  configure --disable-doc --disable-valgrind-tests
  make -j "$jobs" -C lib
  make -C lib install
}

build_gnutls() {
  cd "$work/gnutls28"
  # Debian's corrections add files to Makefile.am. The manual, which is not built, would need gtk-doc.
  GTKDOCIZE=true autoreconf -f -i
  configure --with-nettle-mini --with-included-unistring --without-p11-kit --without-idn \
    --without-zlib --without-brotli --without-zstd --without-tpm --without-tpm2 \
    --disable-cxx --disable-libdane --disable-tools --disable-tests --disable-doc --disable-nls \
    --disable-guile --disable-full-test-suite --disable-valgrind-tests
  make -j "$jobs" -C gl
  make -j "$jobs" -C lib
  make -C lib install
  # Its header expects a DLL.
  sed -i 's/__declspec(dllimport)//' "$prefix/include/gnutls/gnutls.h"
}

build_ipsec_mb() {
  cd "$work/intel-ipsec-mb"
  # Three functions of ChaCha20-Poly1305 clear registers that belong to their caller on Windows (XMM6
  # to 15): they restored them before, or had not saved them. Clearing the others is enough.
  sed -i '/^chacha20_enc_dec_ks_avx512:/,/^ *ret *$/ s/clear_all_zmms_asm/clear_scratch_zmms_asm/' \
    lib/avx512_t1/chacha20_avx512.asm
  sed -i '/^poly1305_key_gen_avx:/,/^ *ret *$/ s/clear_all_xmms_avx_asm/clear_scratch_xmms_avx_asm/' \
    lib/avx_t1/chacha20_avx.asm
  sed -i '/^poly1305_key_gen_sse:/,/^ *ret *$/ s/clear_all_xmms_sse_asm/clear_scratch_xmms_sse_asm/' \
    lib/sse_t1/chacha20_sse.asm
  # Its largest files take nasm a minute each to make jumps a few bytes shorter (-Ox), and 4 s without.
  make -C lib -j "$jobs" CC=$compiler AR=$host-ar NASM="nasm -O1" SHARED=n
  install -m 644 lib/libIPSec_MB.a "$prefix/lib"
  install -m 644 lib/intel-ipsec-mb.h "$prefix/include"
}

# cmake_build FOLDER OPTION...
cmake_build() {
  local source=$work/$1
  shift
  cmake -S "$source" -B "$source.build" -G Ninja -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=x86_64 \
    -DCMAKE_C_COMPILER=$compiler -DCMAKE_CXX_COMPILER=$host-g++-posix -DCMAKE_RC_COMPILER=$host-windres \
    -DCMAKE_FIND_ROOT_PATH="$prefix;/usr/$host" -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
    -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
    -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF "$@"
  cmake --build "$source.build" -j "$jobs"
  cmake --install "$source.build"
}

build_ngtcp2() {
  cmake_build ngtcp2 -DENABLE_LIB_ONLY=ON -DENABLE_STATIC_LIB=ON -DENABLE_SHARED_LIB=OFF -DBUILD_TESTING=OFF \
    -DENABLE_GNUTLS=ON -DENABLE_OPENSSL=OFF
  # Without it the headers expect a DLL.
  sed -i 's/^Cflags:.*/& -DNGTCP2_STATICLIB/' "$prefix"/lib/pkgconfig/libngtcp2*.pc
}

build_nghttp3() {
  cmake_build nghttp3 -DENABLE_LIB_ONLY=ON -DENABLE_STATIC_LIB=ON -DENABLE_SHARED_LIB=OFF -DBUILD_TESTING=OFF
  sed -i 's/^Cflags:.*/& -DNGHTTP3_STATICLIB/' "$prefix"/lib/pkgconfig/libnghttp3.pc
}

build_yaml_cpp() {
  cmake_build yaml-cpp -DYAML_CPP_BUILD_TESTS=OFF -DYAML_CPP_BUILD_TOOLS=OFF -DYAML_CPP_BUILD_CONTRIB=OFF
}

build_fmt() {
  cmake_build fmtlib -DFMT_TEST=OFF -DFMT_DOC=OFF
}

build_googletest() {
  cmake_build googletest
}

build_json() {
  cmake_build nlohmann-json3 -DJSON_BuildTests=OFF
}

build_cli11() {
  cmake_build cli11 -DCLI11_BUILD_TESTS=OFF -DCLI11_BUILD_EXAMPLES=OFF -DCLI11_BUILD_DOCS=OFF \
    -DCLI11_PRECOMPILED=OFF
}

# build LIBRARY...: one after the other, those that are not there yet.
build() {
  local library
  for library; do
    [ ! -e "$prefix/built/$library" ] || continue
    echo "windows-libraries: $library ($((SECONDS - started)) s)"
    # In the background: where a shell waits to judge, as after `if`, it does not end at a failure.
    "build_$library" >"$work/$library.log" 2>&1 &
    wait $! || {
      tail -n 40 "$work/$library.log" >&2
      fail "$library could not be built; the end of its output is above, all of it in $work/$library.log"
    }
    touch "$prefix/built/$library"
  done
}

for library in "${!source_of[@]}"; do
  # shellcheck disable=SC2086  # a suite, a package, and perhaps a word
  [ -e "$prefix/built/$library" ] || unpack ${source_of[$library]}
done

# Two at a time, since configure scripts use one processor. Each in a process group of its own, so that
# all of it ends when this script has to.
set -m
build nettle libtasn1 gnutls ngtcp2 &
tls=$!
build ipsec_mb nghttp3 googletest fmt yaml_cpp json cli11 &
others=$!
set +m
trap 'kill -- -$tls -$others 2>/dev/null; exit 1' INT TERM HUP
wait $others || { kill -- -$tls 2>/dev/null || true; exit 1; }
wait $tls

# The folder gets its final name only now, so files that name it must change theirs.
grep -rlIF "$prefix" "$prefix" | xargs -r sed -i "s|$prefix|$finished|g"
rm -rf "$prefix/built" "$prefix/share/man" "$prefix/share/info" "$finished"
sort -u -o "$prefix/sources" "$prefix/sources"
touch "$prefix/complete"
mv "$prefix" "$finished"
ln -sfn "$key" "$root/current"
rm -rf "$work"
echo "windows-libraries: done in $((SECONDS - started)) s: $finished"
