#!/usr/bin/env bash
# A real browser (Debian's Chromium) loads the decoy over HTTP/3, twice on one visit: the page, and
# what belongs to it. There is nothing on TCP port 443, so nothing else can have brought it.
. "$(dirname "$0")/topology.sh"

command -v chromium >/dev/null || fail "there is no chromium: scripts/setup.sh installs it"
topology
mkdir "$work/site"
cat >"$work/site/index.html" <<'END'
<!DOCTYPE html>
<html><head><title>Home</title><script src="script.js"></script></head><body><p id="here"></p></body></html>
END
echo 'addEventListener("load", () => { document.getElementById("here").textContent = "made by " + "the script"; });' \
  >"$work/site/script.js"

spki() {
  openssl x509 -in "$work/server.crt" -pubkey -noout | openssl pkey -pubin -outform der |
    openssl dgst -sha256 -binary | base64
}

# browse PATH: what the browser makes of a page, as HTML, in $output.
browse() {
  try client timeout -k 5 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
    --disable-background-networking --no-first-run --user-data-dir="$work/chromium" \
    --host-resolver-rules="MAP site.test $server_address" --origin-to-force-quic-on=site.test:443 \
    --ignore-certificate-errors-spki-list="$(spki)" --dump-dom "https://site.test$1"
}

start_server
browse /
check_contains "the browser shows the plain page" "$output" "<h1>It works!</h1>"
browse /connect
check_contains "on /connect, too" "$output" "<h1>It works!</h1>"
stop "$server_pid"

start_server 'decoy: {root: site}'
browse /
check_contains "it loads a page of a folder, and its script" "$output" \
  '<p id="here">made by the script</p>'
browse /connect
check_contains "and is told that there is no /connect" "$output" "<h1>404 Not Found</h1>"
closed() { ! on client timeout 2 bash -c "</dev/tcp/$server_address/443"; }
check "there is no other way to that page" -- closed
