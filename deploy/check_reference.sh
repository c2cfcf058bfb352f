#!/bin/bash
# Installs the build into a folder that goes afterwards, and reads what came of --help and docs/: manual pages by
# man, completions by the shells themselves.
# Usage: deploy/check_reference.sh BUILD
set -euo pipefail
build=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 1' HUP INT TERM
share=$root/usr/share

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

# check_equal WORDS FOUND EXPECTED
check_equal() {
  [ "$2" = "$3" ] || fail "$1: found '$2', expected '$3'"
  echo "ok: $1"
}

for component in Unspecified tools; do
  DESTDIR=$root cmake --install "$build" --prefix /usr --component $component >"$root/log" 2>&1 ||
    fail "cmake --install: $(tail -n 5 "$root/log")"
done

# page FILE: as a terminal shows it; what man complains of is a fault.
page() {
  local text
  text=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=1000 man --warnings --local-file "$1" 2>"$root/complaints") ||
    fail "man cannot show $1"
  [ ! -s "$root/complaints" ] || fail "$1: $(cat "$root/complaints")"
  col -bx <<<"$text"
}

# explains PAGE WORD...: the page has an entry of each.
explains() {
  local text word
  text=$(page "$1")
  for word in "${@:2}"; do
    grep -qE "^ +(-[a-z], )?$word( |\$)" <<<"$text" || fail "$(basename "$1") does not explain $word"
  done
  [ $# -gt 5 ] || fail "$(basename "$1"): only $# words to look for"
}

pages=0
for file in "$share"/man/man*/*; do
  grep -q '^NAME' <<<"$(page "$file")" || fail "$file has no name"
  pages=$((pages + 1))
done
[ "$pages" -gt 12 ] || fail "only $pages manual pages"
echo "ok: man shows $pages pages"

for program in server client load; do
  mapfile -t words < <("$build/qdt-$program" --help | grep -oE '^  (-[a-z],)?--[a-z-]+' | grep -oE -- '--.*')
  explains "$share"/man/man?/qdt-$program.? "${words[@]}"
done
mapfile -t words < <("$build/qdt_linkem" --help | grep -oE '^  --[a-z-]+' | tr -d ' ')
explains "$share/man/man1/qdt-linkem.1" "${words[@]}"
for side in server client; do
  mapfile -t words < <("$build/qdt-$side" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
  for word in "${words[@]}"; do
    [ -e "$share/man/man8/qdt-$side-$word.8" ] || fail "no page of qdt-$side $word"
  done
  # Keys of the first level; those below them have their parent's name in front.
  mapfile -t words < <(sed -n 's/^#\?\([a-z_0-9]\+\): [^ ].*/\1/p' "$share/doc/qdt/$side.example.yaml")
  explains "$share/man/man5/$side.yaml.5" "${words[@]}"
done
echo "ok: pages explain every option, command and key"

# in_bash WORD...: what bash offers for the last word.
in_bash() {
  bash -c '. "$1"; COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2)); "_${2//-/_}"; echo "${COMPREPLY[*]}"' \
    - "$share/bash-completion/completions/$1" "$@"
}
# in_zsh WORD...: everything that zsh would choose from, as `kind: first words of entries`.
in_zsh() {
  # shellcheck disable=SC2016  # for zsh
  zsh -fc 'file=$1; shift; words=("$@") CURRENT=$#
    _describe() { local -a entries=("${(@P)4}"); print -r -- "$3: ${entries[@]%%:*}" }
    _files() { print "files" }
    _net_interfaces() { print "interfaces" }
    . $file' - "$share/zsh/vendor-completions/_$1" "$@"
}
# in_fish WORD...: what fish offers for the last word.
in_fish() {
  # shellcheck disable=SC2016  # for fish
  HOME=$root fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' \
    "$share/fish/vendor_completions.d/$1.fish" "$*" | cut -f 1 | sort | tr '\n' ' '
}

touch "$root/a-file.yaml"
cd "$root"
check_equal "bash: a command" "$(in_bash qdt-server ki)" kick
check_equal "bash: an option" "$(in_bash qdt-server --check)" --check-config
check_equal "bash: an option of a command" "$(in_bash qdt-server -c x.yaml status --w)" --watch
check_equal "bash: a file" "$(in_bash qdt-client --config a-)" a-file.yaml
check_equal "bash: a device" "$(in_bash qdt-client stop --tun l)" lo
check_equal "bash: no guess at an address" "$(in_bash qdt-server client-config --address '')" ""
check_equal "bash: a tool's option" "$(in_bash qdt-linkem a b --loss-)" --loss-row
check_equal "zsh: commands" "$(in_zsh qdt-client '')" "command: status reconnect stop key add list up down remove"
check_equal "zsh: options of a command" "$(in_zsh qdt-client key -)" "option: -h --help --file --psk"
check_equal "zsh: a file" "$(in_zsh qdt-client key --file '')" files
check_equal "zsh: a device" "$(in_zsh qdt-server kick --tun '')" interfaces
check_equal "fish: a command" "$(in_fish qdt-server rel)" "reload "
check_equal "fish: options of a command" "$(in_fish qdt-server status --)" "--help --json --tun --watch "
check_equal "fish: a file" "$(in_fish qdt-load --config a-)" "a-file.yaml "
check_equal "fish: no file where none is meant" "$(in_fish qdt-client stop a-)" ""
