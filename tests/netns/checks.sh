# shellcheck shell=bash disable=SC2154  # variables of topology.sh
# Part of topology.sh: checks that say what holds, and end the test with what was seen.

say() { printf '%s\n' "$*"; }

# fail WORDS...: ends the test; the logs say the rest.
fail() {
  say "FAILED: $*" >&2
  local log
  for log in "$work"/*.log; do
    [ -e "$log" ] || continue
    say "--- $(basename "$log") (last 30 lines)" >&2
    tail -n 30 "$log" >&2
  done
  exit 1
}

# check WORDS... -- COMMAND...: the command succeeds.
check() {
  local words=() output
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  if ! output=$("$@" 2>&1); then fail "${words[*]}: $* said: $output"; fi
  say "ok: ${words[*]}"
}

# check_equal WORDS ACTUAL EXPECTED
check_equal() {
  [ "$2" = "$3" ] || fail "$1: got \"$2\", expected \"$3\""
  say "ok: $1"
}

# check_contains WORDS TEXT PART, and the contrary
check_contains() {
  case $2 in *"$3"*) say "ok: $1" ;; *) fail "$1: \"$2\" does not contain \"$3\"" ;; esac
}
check_lacks() {
  case $2 in *"$3"*) fail "$1: \"$2\" contains \"$3\"" ;; *) say "ok: $1" ;; esac
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}
