#!/usr/bin/env bash
# hardened_programs.sh PROGRAM...: whether these programs, of Linux or Windows, are built as
# cmake/hardening.cmake says.
set -euo pipefail

status=0
# has PROGRAM WORDS PATTERN TEXT: the text has such a line.
has() {
  grep -qE "$3" <<<"$4" && return
  echo "FAILED: $1: $2"
  status=1
}
lacks() {
  grep -qE "$3" <<<"$4" || return 0
  echo "FAILED: $1: $2"
  status=1
}

check_linux() {
  local headers segments dynamic symbols
  headers=$(LC_ALL=C readelf -hW "$1")
  segments=$(LC_ALL=C readelf -lW "$1")
  dynamic=$(LC_ALL=C readelf -dW "$1")
  symbols=$(LC_ALL=C nm -D --undefined-only "$1")
  has "$1" "position-independent" 'Type: +DYN' "$headers"
  has "$1" "a program that the loader places at random" 'FLAGS_1.*PIE' "$dynamic"
  has "$1" "bound when it starts" 'FLAGS_1.*NOW' "$dynamic"
  has "$1" "its relocations are read-only then" 'GNU_RELRO' "$segments"
  has "$1" "a stack" 'GNU_STACK' "$segments"
  lacks "$1" "no stack that can be executed" 'GNU_STACK.* RWE' "$segments"
  lacks "$1" "nothing that can be written and executed" 'LOAD.* RWE' "$segments"
  lacks "$1" "no relocations in its code" 'TEXTREL' "$dynamic"
  if grep -q 'X86-64' <<<"$headers"; then
    # The program's note says so only where the C library's parts of it are built likewise.
    has "$1" "its functions are landing places of indirect branches" 'endbr64' \
      "$(objdump -d --no-show-raw-insn --disassemble=main "$1")"
  fi
  has "$1" "its stack is watched" '__stack_chk_fail' "$symbols"
  has "$1" "calls of the C library know the sizes of buffers" '__(mem|str|read|recv|v?snprintf|fgets)[a-z]*_chk|__fdelt_chk' "$symbols"
  has "$1" "the standard library checks bounds" '__glibcxx_assert_fail' "$symbols"
}

check_windows() {
  local headers
  headers=$(LC_ALL=C "$objdump" -p "$1")
  has "$1" "placed at random" 'DYNAMIC_BASE' "$headers"
  has "$1" "in the whole address space" 'HIGH_ENTROPY_VA' "$headers"
  has "$1" "no data can be executed" 'NX_COMPAT' "$headers"
  has "$1" "its stack is watched" 'stack smashing detected' "$(strings -a "$1")"
}

objdump=$(command -v x86_64-w64-mingw32-objdump || command -v objdump)
for program; do
  case $program in
    *.exe) check_windows "$program" ;;
    *) check_linux "$program" ;;
  esac
  [ $status -ne 0 ] || echo "ok: $program"
done
exit $status
