#!/bin/bash
# The packages of a built client for Windows: build/windows/qdt-VERSION-windows-x86_64.zip, and an
# installer beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/windows
libraries=$(scripts/windows-libraries.sh --print)
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt" 2>/dev/null || true)
if [ -z "$version" ] || [ ! -e "$build/qdt-client.exe" ]; then
  echo "windows-package: there is no $build/qdt-client.exe; make windows builds it" >&2
  exit 1
fi
for program in makensis zip x86_64-w64-mingw32-strip x86_64-w64-mingw32-objdump; do
  command -v "$program" >/dev/null ||
    { echo "windows-package: there is no $program here; scripts/setup.sh windows installs it" >&2; exit 1; }
done

# The program comes without the compiler's DLLs.
foreign=$(x86_64-w64-mingw32-objdump -p "$build/qdt-client.exe" | sed -n 's/^\tDLL Name: //p' |
  grep -iE '^(lib|msys|cyg)' || true)
if [ -n "$foreign" ]; then
  echo "windows-package: qdt-client.exe needs DLLs that Windows does not have: ${foreign//$'\n'/ }" >&2
  exit 1
fi

name=qdt-$version-windows-x86_64
folder=$build/package/$name
rm -rf "$build/package"
mkdir -p "$folder/licences"
x86_64-w64-mingw32-strip -o "$folder/qdt-client.exe" "$build/qdt-client.exe"
# Notepad of old wants its line ends, and nothing else minds them.
as_text() { sed 's/\r*$/\r/' "$1" >"$2"; }
as_text client.example.yaml "$folder/client.example.yaml"
as_text deploy/windows/README.txt "$folder/README.txt"
as_text LICENSE "$folder/LICENSE.txt"
as_text "$libraries/sources" "$folder/licences/sources.txt"
for library in "$libraries"/licences/*; do
  [ "$(basename "$library")" != googletest ] || continue
  mkdir "$folder/licences/$(basename "$library")"
  for file in "$library"/*; do
    as_text "$file" "$folder/licences/$(basename "$library")/$(basename "$file" .txt).txt"
  done
done
# The compiler's additions: its C++ library and what that needs.
mkdir "$folder/licences/compiler"
as_text /usr/share/doc/mingw-w64-common/copyright "$folder/licences/compiler/mingw-w64.txt"
as_text /usr/share/doc/g++-mingw-w64-x86-64-posix/copyright "$folder/licences/compiler/gcc.txt"

rm -f "$build/$name.zip" "$build/$name-setup.exe"
(cd "$build/package" && zip -q -r -X "../$name.zip" "$name")
makensis -V2 -NOCD "-DVERSION=$version" "-DSOURCE=$folder" "-DOUTPUT=$build/$name-setup.exe" \
  deploy/windows/qdt-client.nsi
echo "windows-package: $build/$name.zip"
echo "windows-package: $build/$name-setup.exe"
