#!/usr/bin/env bash
# The same on the QUIC plane alone.
PLANE=quic . "$(dirname "$0")/path_satellite.sh"
