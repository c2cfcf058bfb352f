#!/usr/bin/env bash
# `decoy: {root: FOLDER}`: strangers get the files of a folder, as from any web server, and nothing
# outside of it; /connect without the token is a file that is not there. SIGHUP reads them again.
. "$(dirname "$0")/topology.sh"

topology
unlimited=('handshake_rate: {pps: 0}' 'handshake_ip_rate: {pps: 0}')
site=$work/site
mkdir -p "$site/img" "$site/.git"
echo '<h1>Home</h1>' >"$site/index.html"
echo 'body { color: red }' >"$site/img/style.css"
head -c 3000000 /dev/urandom >"$site/big.bin"
echo secret >"$site/.git/config"
echo secret >"$work/secret.txt"
ln -s ../secret.txt "$site/relative.txt"
ln -s /etc/hostname "$site/absolute.txt"
ln -s index.html "$site/start.html"
touch -d '2024-05-06 07:08:09 UTC' "$site/index.html"
start_server 'decoy: {root: site, server: nginx}' "${unlimited[@]}"
log_has() { wait_for 5 grep -qF -- "$1" "$work/server.log"; }
check "the log says what is not shown" -- log_has "relative.txt is left out: it leads out of the folder"

# answer METHOD PATH [PROBE-ARGUMENTS...]
answer() {
  probe client --headers --token '' --body '' --method "$1" --path "$2" "${@:3}" |
    sed -E 's/^(date: ).*GMT$/\1now/'
}
first() { head -n 1 | tr -d ' '; }

check_equal "a file comes with the headers of files" "$(answer GET /)" "200 
server: nginx
date: now
content-type: text/html
last-modified: Mon, 06 May 2024 07:08:09 GMT
etag: \"$(printf '%x' "$(stat -c %Y "$site/index.html")")-e\"
content-length: 14

<h1>Home</h1>"
check_contains "in a folder, too" "$(answer GET /img/style.css)" "content-type: text/css"
check_contains "by a link inside" "$(answer GET /start.html)" "<h1>Home</h1>"
check_equal "a folder is told where it is" "$(answer GET /img | grep location)" "location: /img/"
check_equal "what a visitor has is not sent again" \
  "$(answer GET / --header 'if-modified-since: Mon, 06 May 2024 07:08:09 GMT' | first)" 304
missing=$(answer POST /missing)
check_equal "what is not there is 404" "$(first <<<"$missing")" 404
for path in /connect /.git/config /relative.txt /absolute.txt /secret.txt; do
  check_equal "POST $path likewise, to the byte" "$(answer POST "$path")" "$missing"
done
check_equal "a wrong token on /connect, too" "$(answer POST /connect --token wrong)" "$missing"
check_equal "half of the token" "$(answer POST /connect --token "${token%?}")" "$missing"
for path in /../secret.txt /%2e%2e/secret.txt /img/..%2f..%2fsecret.txt; do
  check_equal "$path leads nowhere" "$(answer GET "$path" | first)" 400
done
check_equal "a page takes no POST" "$(answer POST / | first)" 405
check_contains "the token is let in" "$(probe client)" '200 {'

mkdir "$work/got"
try client gtlsclient --exit-on-all-streams-close --no-quic-dump --no-http-dump --timeout=9s \
  --download="$work/got" "$server_address" 443 "https://$server_address/big.bin"
check "a file larger than every window comes whole" -- cmp "$site/big.bin" "$work/got/big.bin"

echo '<h1>News</h1>' >"$site/news.html"
check_equal "a new file is not there yet" "$(answer GET /news.html | first)" 404
kill -HUP "$server_pid"
has_news() { [ "$(answer GET /news.html | first)" = 200 ]; }
check "after SIGHUP it is" -- wait_for 5 has_news
rm -r "$site"
kill -HUP "$server_pid"
check "a folder that is gone changes nothing" -- wait_for 5 grep -q \
  "nothing is changed: $work/server.yaml:[0-9]*:[0-9]*: decoy: read the folder" "$work/server.log"
check_equal "and the pages stay" "$(answer GET /news.html | first)" 200
stop "$server_pid"

try server "${server_command[@]}" --config "$work/server.yaml"
check_equal "without its folder a server does not start" "$status" 1
check_contains "and says why" "$output" "decoy: read the folder $work/site: No such file or directory"
try server "${server_command[@]}" --config "$work/server.yaml" --check-config
check_contains "--check-config says so as well" "$output" "read the folder $work/site: No such file"
mkdir "$site"
head -c 17000000 /dev/zero >"$site/huge"
try server "${server_command[@]}" --config "$work/server.yaml" --check-config
check_contains "a folder has its bound" "$output" "has more than 16777216 bytes"
