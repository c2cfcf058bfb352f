#!/usr/bin/env bash
# The server's name in every form that people write: capitals, a dot at the end, an underscore,
# letters of other scripts. It is verified by an authority's certificate; forms that name no host
# are refused by --check-config with the reason.
. "$(dirname "$0")/topology.sh"

topology
echo "$server_address vpn.test my_vpn.test xn--bcher-kva.test" >>"$(etc client hosts)"
"$here/../../scripts/gen-cert.sh" "$work/server.crt" "$work/server.key" "$server_address" vpn.test \
  my_vpn.test xn--bcher-kva.test >/dev/null
mkdir -p "$(etc client ssl/certs)"
cp "$work/server.crt" "$(etc client ssl/certs/ca-certificates.crt)"
start_server

connects() {
  start_client client "$@" 'route_mode: none'
  stop "$client_pid"
  say "ok: $* connects"
}
for name in VPN.Test vpn.test. vpn.test.:443 my_vpn.test bücher.test BÜCHER.test. XN--bcher-KVA.test "$server_address"; do
  connects "server: \"$name\"" '#tls_fingerprint:'
done
connects 'server: my_vpn.test'
connects 'server: bücher.test'

try_client client '#tls_fingerprint:' 'server: other_vpn.test'
check_equal "a name that is not known" "$status" 3
echo "$server_address other_vpn.test" >>"$(etc client hosts)"
try_client client '#tls_fingerprint:' 'server: other_vpn.test'
check_equal "a name with an underscore that is not in the certificate is not trusted" "$status" 3
check_contains "it says why" "$output" "name in the certificate does not match"

# refused NAME WORDS
refused() {
  write_client_config client "server: \"$1\""
  try client "$build/qdt-client" --check-config --config "$work/client.yaml"
  check_equal "\"$1\" is refused" "$status" 1
  check_contains "it says why" "$output" "$2"
}
refused 'fe80::1%eth0' "has a zone"
refused '[fe80::1%eth0]:443' "has a zone"
refused 'fe80::1' "address of one link alone"
refused 'https://vpn.test/' "without a scheme"
refused 'vpn.test/connect' "without a path"
refused 'me@vpn.test' "without a user name"
refused 'vpn test' "it has spaces"
refused ' vpn.test' "it has spaces"
refused '010.1.1.1' "without leading zeros"
refused '0x7f.1' "without leading zeros"
refused 'vpn..test' "a part between dots is empty"
refused "$(printf 'a%.0s' {1..64}).test" "longer than 63 letters"
refused "$(printf 'abcdefg.%.0s' {1..32})test" "longer than the 253 letters"
refused 'vpn.test.:' "is no port"
