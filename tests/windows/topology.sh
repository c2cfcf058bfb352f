# shellcheck shell=bash disable=SC2034,SC2154  # variables for the scripts, and of tests/netns/topology.sh
# Sourced by every end-to-end test of the Windows client: the hosts of tests/netns/topology.sh and the
# Linux server, but on `client` the program is qdt-client.exe, run by a Wine of the test's own, and
#
#    qdt-client.exe -- wintun.dll (stand-in) -- UDP, 127.0.0.1 -- tun_peer.py -- TUN device wintun0
#
# so that ping and TCP of Linux go through it. The Wine has to be the test's own because its server,
# which makes the sockets, runs in the namespace where it was started.
#
# QDT_BUILD: the Linux programs; QDT_WINDOWS_BUILD: the Windows ones.

. "$(dirname "${BASH_SOURCE[0]}")/../netns/topology.sh"

tests_windows=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
windows_build=$(cd "${QDT_WINDOWS_BUILD:-$tests_windows/../../build/windows}" && pwd)
program_folder=$work/program
peer_port=45454
export QDT_WINE=$windows_build/wine-$$ QDT_STAND_IN_PORT=$peer_port

# Z: is /.
windows_path() { printf 'Z:%s' "${1//\//\\}"; }

# wine_on HOST COMMAND...: in the foreground.
wine_on() { on "$1" "$tests_windows/../../scripts/wine.sh" "${@:2}"; }

# prepare_windows: a Wine, and the program in a folder of its own beside a signed stand-in.
prepare_windows() {
  mkdir -p "$program_folder"
  # Setting one up takes half a minute; linking a hundred megabytes of files that nobody writes to,
  # and copying the registry, a second.
  local made=${QDT_WINE_READY:-$tests_windows/../../build/wine}
  if [ -e "$made/ready" ]; then
    cp -al "$made" "$QDT_WINE"
    local file
    for file in "$made"/*.reg; do cp --remove-destination "$file" "$QDT_WINE/"; done
  fi
  boot_windows
  cp "$windows_build/qdt-client.exe" "$program_folder/"
  sign_stand_in "$program_folder/wintun.dll"
  wine_on client "$windows_build/trust_certificate.exe" "$(windows_path "$work/signer.der")" ||
    fail "Wine does not take the signer's certificate"
}

# boot_windows: starts it, to go on until halt_windows; else it would end with each program, and its
# services begin with the next.
boot_windows() {
  WINEPREFIX=$QDT_WINE on client wineserver --persistent
  wine_on client cmd /c exit
}

# sign_stand_in FILE: the stand-in wintun.dll, signed by a key of this test's.
sign_stand_in() {
  if [ ! -e "$work/signer.der" ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=QDT test signer' \
      -addext keyUsage=critical,digitalSignature,keyCertSign -addext extendedKeyUsage=codeSigning \
      -keyout "$work/signer.key" -out "$work/signer.crt" 2>/dev/null
    openssl x509 -in "$work/signer.crt" -outform DER -out "$work/signer.der"
  fi
  osslsigncode sign -certs "$work/signer.crt" -key "$work/signer.key" -h sha256 \
    -in "$windows_build/stand-in/wintun.dll" -out "$1" >"$work/signing.log" || fail "nothing is signed"
}

# start_peer: the other end of the stand-in; its PID in $peer_pid.
start_peer() {
  run client peer python3 -u "$tests_windows/tun_peer.py" wintun0 "$peer_port"
  peer_pid=$pid
  wait_for 5 on client ip link set wintun0 up || fail "there is no wintun0"
}

# write_windows_config [YAML...]: client.yaml; Wine has no trust to check a certificate by.
write_windows_config() { write_client_config client "$@"; }

# run_windows_client [YAML...]: without waiting for anything; its PID in $client_pid.
run_windows_client() {
  write_windows_config "$@"
  : >"$work/client.log"
  run client client "$tests_windows/../../scripts/wine.sh" "$(windows_path "$program_folder/qdt-client.exe")" \
    --config "$(windows_path "$work/client.yaml")"
  client_pid=$pid
}

# start_windows_client [YAML...]: until it is connected, with its address on wintun0.
start_windows_client() {
  run_windows_client "$@"
  wait_for 30 is_windows_client_connected || fail "the Windows client is not connected"
  give_lease
}
is_windows_client_connected() { grep -q 'connected: this host is' "$work/client.log"; }

# give_lease: wintun0 gets the address that the client has been lent, and the routes that it wants.
give_lease() {
  on client ip address flush dev wintun0
  on client ip address add "$(lease client)/32" dev wintun0
  on client ip link set wintun0 mtu 1280 up
  on client ip route replace 10.8.0.0/24 dev wintun0
  on client ip route replace 192.0.2.0/24 dev wintun0
}

# take_lease: wintun0 loses it. For Windows it is an ordinary device, so a client that connects again would
# take the address for one that the host has of its own.
take_lease() { on client ip address flush dev wintun0; }

# try_windows ARGUMENTS...: qdt-client.exe to its end; what it said in $output, how it ended in $status.
try_windows() {
  status=0
  output=$(timeout --foreground 60 ip netns exec "$(ns client)" "$tests_windows/../../scripts/wine.sh" \
    "$(windows_path "$program_folder/qdt-client.exe")" "$@" 2>&1 | tr -d '\r'; exit "${PIPESTATUS[0]}") ||
    status=$?
}

# try_windows_client [YAML...]: for one that is not to connect.
try_windows_client() {
  write_windows_config "$@"
  try_windows --config "$(windows_path "$work/client.yaml")"
}

# halt_windows: ends it, with everything that runs in it.
halt_windows() {
  WINEPREFIX=$QDT_WINE on client wineserver --kill || true
  WINEPREFIX=$QDT_WINE on client wineserver --wait || true
}

# clean_up of tests/netns/topology.sh ends what was started here; Wine's own processes are not ours.
remove_windows() {
  [ ! -d "$QDT_WINE" ] || halt_windows
  rm -rf "$QDT_WINE"
}
trap 'ended_with=$?; remove_windows 2>/dev/null || true; clean_up "$ended_with"' EXIT
