#!/usr/bin/env bash
# A fault in the files or on the host gets a clear message; an unusual setting works.
. "$(dirname "$0")/topology.sh"

topology
prepare_windows
start_server
start_peer
config=$work/client.yaml

refused() {  # WORDS PART...
  check_equal "$1: 1" "$status" 1
  local part
  for part in "${@:2}"; do check_contains "it says so" "$output" "$part"; done
}
download="wintun-0.14.1.zip from www.wintun.net"

# --- wintun.dll ---

mv "$program_folder/wintun.dll" "$work/signed.dll"
try_windows_client
refused "no wintun.dll" 'wintun.dll: it is not there' "$download" 'bin\amd64\wintun.dll'

cp "$windows_build/stand-in/wintun.dll" "$program_folder/wintun.dll"
try_windows_client
refused "one without a signature" "it has no signature" "$download"

# The machine's number is four bytes behind where the DOS header points to.
python3 - "$work/signed.dll" "$program_folder/wintun.dll" <<'PYTHON'
import struct, sys
image = bytearray(open(sys.argv[1], "rb").read())
at = struct.unpack_from("<I", image, 0x3c)[0] + 4
image[at:at + 2] = b"\x64\xaa"
open(sys.argv[2], "wb").write(image)
PYTHON
try_windows_client
refused "one for another processor" "it is for ARM64, not for x86-64" "$download"

# A byte of its code, which the signature covers.
python3 - "$work/signed.dll" "$program_folder/wintun.dll" <<'PYTHON'
import sys
image = bytearray(open(sys.argv[1], "rb").read())
image[0x1000] ^= 1
open(sys.argv[2], "wb").write(image)
PYTHON
try_windows_client
refused "one that was changed after it was signed" "check the signature of" "$download"

echo '<html>404</html>' >"$program_folder/wintun.dll"
try_windows_client
refused "something else by that name" "it is no Windows library" "$download"
cp "$work/signed.dll" "$program_folder/wintun.dll"

# --- the adapter ---

try_windows_client 'tun_name: eth0'
refused "a name that is taken" "eth0" "a network interface of this name exists" "another tun_name"

# --- the configuration ---

write_windows_config
check_config() { try_windows --check-config --config "$(windows_path "$1")"; }
check_config "$config"
check_equal "a configuration of this kind is valid" "$status" 0

{ printf '\xef\xbb\xbf'; sed 's/$/\r/' "$config"; } >"$work/notepad.yaml"
check_config "$work/notepad.yaml"
check_equal "so is one with CRLF and a byte order mark" "$status" 0
{ printf '\xef\xbb\xbf'; sed 's/$/\r/' "$config"; printf 'mtu: lots\r\n'; } >"$work/notepad.yaml"
check_config "$work/notepad.yaml"
refused "a fault in it" "notepad.yaml:$(wc -l <"$work/notepad.yaml"):6: mtu: found \"lots\""
iconv -t UTF-16 "$config" >"$work/utf16.yaml"
check_config "$work/utf16.yaml"
refused "one in UTF-16" "utf16.yaml:1:1: not UTF-8 text"

folder=$work/Jürgen/日本語
mkdir -p "$folder"
cp "$config" "$folder/Gerät.yaml"
check_config "$folder/Gerät.yaml"
check_equal "its path may be in any language" "$status" 0
check_contains "and is told as it is" "$output" 'Jürgen\日本語\Gerät.yaml is valid'

long=$work/$(printf 'x%.0s' {1..150})/$(printf 'y%.0s' {1..150})
mkdir -p "$long"
cp "$config" "$long/client.yaml"
check_config "$long/client.yaml"
check_equal "and longer than 260 characters" "$status" 0

# --- the host ---

# The program's own folder, where it finds wintun.dll, in any language; and IPv6 switched off.
ascii_folder=$program_folder
program_folder=$work/Jürgen/Prögramme
cp -r "$ascii_folder" "$program_folder"
on client sysctl -qw net.ipv6.conf.all.disable_ipv6=1
start_windows_client
check "it works from a folder with umlauts, and without IPv6" -- on client ping -c 2 -W 2 10.8.0.1
stop "$client_pid" INT
check_equal "it ends well" "$status" 0
on client ip address flush dev wintun0

ip -n "$(ns client)" link set eth0 down
try_windows_client 'timeout: 2s'
check_equal "without a network: 3" "$status" 3
check_contains "it says so" "$output" "is it connected to a network?"
