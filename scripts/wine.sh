#!/bin/sh
# Runs a Windows program by Wine, without a display and in a Wine of the project's own, which it makes
# when it is missing.
# Usage: scripts/wine.sh PROGRAM.exe [ARGUMENT...]
#        scripts/wine.sh --stay|--end: Wine's server stays when no program runs, until its end; one that
#        starts while the last one goes does not reach it, and fails.
# QDT_WINE: the folder of that Wine, build/wine if not set.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
export WINEPREFIX="${QDT_WINE:-$here/build/wine}" WINEDEBUG="${WINEDEBUG:--all}" WINEARCH=win64
# Neither .NET nor a browser, which Wine would offer to download; no window can be shown.
export WINEDLLOVERRIDES="${WINEDLLOVERRIDES:+$WINEDLLOVERRIDES;}mscoree,mshtml=;winemenubuilder.exe=d"
unset DISPLAY WAYLAND_DISPLAY
wine=$(command -v wine || command -v wine64) ||
  { echo "wine.sh: there is no wine here; scripts/setup.sh windows installs it" >&2; exit 127; }

if [ ! -e "$WINEPREFIX/ready" ]; then
  mkdir -p "$WINEPREFIX"
  (
    # Tests that run side by side want one Wine.
    flock 9
    if [ ! -e "$WINEPREFIX/ready" ]; then
      "$wine" wineboot --init >"$WINEPREFIX/log" 2>&1 </dev/null 9>&- ||
        { cat "$WINEPREFIX/log" >&2; echo "wine.sh: Wine could not be set up in $WINEPREFIX" >&2; exit 1; }
      # Until all of it is on disk: before that, a new service is forgotten again.
      wineserver -w
      touch "$WINEPREFIX/ready"
    fi
  ) 9>"$WINEPREFIX/lock"
fi
case ${1:-} in
  --stay)
    # Its services stay, too, with what the first program writes to: whoever waits for that to be
    # closed, as ctest does, would wait for ever.
    wineserver -p >/dev/null 2>&1 </dev/null
    exec "$wine" cmd /c exit >/dev/null 2>&1 </dev/null ;;
  --end) wineserver -k || true ;;
  *) exec "$wine" "$@" ;;
esac
