#!/usr/bin/env bash
# A certificate and its key that change on disk are read without being asked: written in place, renamed over
# the old ones, behind a link that leads elsewhere. Half a pair is waited for, and told of when it stays.
. "$(dirname "$0")/topology.sh"

topology 2
mkdir "$work/live" "$work/archive"
# new_pair N: a certificate and its key in the archive.
new_pair() { "$here/../../scripts/gen-cert.sh" "$work/archive/$1.crt" "$work/archive/$1.key" "$server_address" >/dev/null; }
fingerprint_of() { openssl x509 -in "$work/archive/$1.crt" -outform DER | sha256sum | cut -d' ' -f1; }
for i in 1 2 3 4 5 6; do new_pair "$i"; done
link() {  # N: as certbot does
  ln -sfn "../archive/$1.crt" "$work/live/cert.pem"
  ln -sfn "../archive/$1.key" "$work/live/key.pem"
}
link 1
start_server 'log_level: info' 'tls_cert: live/cert.pem' 'tls_key: live/key.pem'
cp "$work/archive/1.crt" "$work/server.crt"  # which clients trust
start_client client 'route_mode: cidr'
ping_steadily client 10.8.0.1
shows() { wait_for "${2:-8}" grep -q "clients are shown the certificate sha256:$(fingerprint_of "$1") from now on" "$work/server.log"; }
taken() { probe client | head -n 1; }

link 2
check "links that lead to other files" -- shows 2
for kind in crt key; do cp "$work/archive/3.$kind" "$work/archive/2.$kind.next" && mv "$work/archive/2.$kind.next" "$work/archive/2.$kind"; done
check "files renamed over the old ones" -- shows 3
for kind in crt key; do cat "$work/archive/4.$kind" >"$work/archive/2.$kind"; done
check "files written in place" -- shows 4

# Half a pair, and half a file.
cat "$work/archive/5.crt" >"$work/archive/2.crt"
head -c 90 "$work/archive/5.key" >"$work/archive/2.key"
sleep 4
check_equal "half a pair is no error yet" "$(grep -c 'error' "$work/server.log")" 0
cat "$work/archive/5.key" >"$work/archive/2.key"
check "and is taken when the other half has come" -- shows 5
check_equal "no error was told" "$(grep -c 'error' "$work/server.log")" 0

cat "$work/archive/6.crt" >"$work/archive/2.crt"
check "a key that does not fit is told of when it stays" -- wait_for 20 grep -q \
  'error: the files of the certificate have changed, and the one from before stays in use: tls_cert .* and tls_key' "$work/server.log"
sleep 3
check_equal "once" "$(grep -c 'error' "$work/server.log")" 1
cp "$work/archive/5.crt" "$work/server.crt"
check_contains "the server serves on" "$(taken)" '200'
try_client client2 "tls_fingerprint: sha256:$(fingerprint_of 6)"
check_contains "with the certificate from before" "$output" "is not trusted"
cat "$work/archive/6.key" >"$work/archive/2.key"
check "until the key comes" -- shows 6

rm "$work/live/key.pem"
check "a key that has gone is told of" -- wait_for 20 grep -q 'stays in use: tls_key: read .*live/key.pem: No such file' "$work/server.log"
ln -s ../archive/2.key "$work/live/key.pem"
touch -h "$work/live/key.pem"
lines=$(wc -l <"$work/server.log")
sleep 4
check_equal "the same files again are no news" "$(wc -l <"$work/server.log")" "$lines"
check_steady "no packet was lost meanwhile"
check_equal "and no session has ended" "$(grep -c 'ended' "$work/server.log")" "$(grep -c 'opened' "$work/server.log" | awk '{ print $1 - 1 }')"
stop "$server_pid"
check_equal "the server ends in order" "$status" 0
