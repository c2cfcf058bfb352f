# shellcheck shell=bash disable=SC2034  # variables for the scripts
# Sourced by every namespace test: four hosts (and more clients where a test asks for them), the
# real programs on them, and checks that fail with what was seen.
#
#    client  198.51.100.2 ---- .1  router  203.0.113.1 ---- .2  server  192.0.2.1 ---- .80  web
#   client2  198.51.101.2 ---- .1                            10.8.0.1 (qdt0)
#
# client, server and web also have IPv6 (2001:db8:1::2, 2001:db8:2::2, 2001:db8:3::80). Over IPv4
# web knows no way back to the clients: what reaches it from one must carry the server's address.
#
# A test is a script:   . "$(dirname "$0")/topology.sh"; topology; start_server; start_client ...
# Everything made here ends with the script: processes by PID, namespaces, files.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${QDT_BUILD:-$here/../../build/release}
work=$(mktemp -d "${TMPDIR:-/tmp}/qdt-$(basename "$0" .sh)-XXXXXX")
token=test-token-0123456789abcdef
server_address=203.0.113.2
server_address6=2001:db8:2::2
web_address=192.0.2.80
web_address6=2001:db8:3::80
# The clients' networks have public addresses, which go into a tunnel that takes everything. A test
# that has them for a LAN says so.
public_lan='lan: [198.51.100.0/24, "2001:db8:1::/64"]'
# The server's program, and what else starts it.
server_command=("$build/qdt-server")
# Where a build with sanitizers reports: not to a log, which a test may read or begin anew.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$work/sanitizer"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$work/sanitizer"
export TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS:}log_path=$work/sanitizer"
# The seed of what a test leaves to chance; printed by those that do. SEED=... repeats a run.
seed=${SEED:-$RANDOM}

. "$here/checks.sh"
. "$here/packets.sh"

# --- hosts ---

# The name of a host of this test for ip netns: unique, so that tests run side by side.
ns() { printf 'qdt-%s-%s' "$$" "$1"; }
# on HOST COMMAND...: runs it there.
on() { ip netns exec "$(ns "$1")" "${@:2}"; }

hosts=()

# add_host NAME: a host has files of its own in /etc: resolv.conf (nobody answers there), hosts, and
# what a test puts beside them.
add_host() {
  local name
  name=$(ns "$1")
  ip netns add "$name"
  hosts+=("$1")
  mkdir -p "/etc/netns/$name"
  echo "nameserver 127.0.0.53" >"/etc/netns/$name/resolv.conf"
  echo "127.0.0.1 localhost" >"/etc/netns/$name/hosts"
  on "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
  ip -n "$name" link set lo up
}

# etc HOST FILE: where the host's /etc/FILE is.
etc() { printf '/etc/netns/%s/%s' "$(ns "$1")" "$2"; }

# join HOST NAME ADDRESS HOST NAME ADDRESS: a cable.
join() {
  ip link add "$2" netns "$(ns "$1")" type veth peer name "$5" netns "$(ns "$4")"
  ip -n "$(ns "$1")" address add "$3" dev "$2"
  ip -n "$(ns "$4")" address add "$6" dev "$5"
  ip -n "$(ns "$1")" link set "$2" up
  ip -n "$(ns "$4")" link set "$5" up
}

# topology [CLIENTS]: makes the hosts.
topology() {
  local host i
  for host in router server web; do add_host "$host"; done
  join router srv 203.0.113.1/24 server wan 203.0.113.2/24
  join server lan 192.0.2.1/24 web eth0 192.0.2.80/24
  ip -n "$(ns server)" route add default via 203.0.113.1
  for i in $(seq "${1:-1}"); do
    host=client$([ "$i" -eq 1 ] || echo "$i")
    add_host "$host"
    join router "cl$i" "198.51.$((99 + i)).1/24" "$host" eth0 "198.51.$((99 + i)).2/24"
    ip -n "$(ns "$host")" route add default via "198.51.$((99 + i)).1"
  done
  on router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  on server sysctl -qw net.ipv6.conf.all.forwarding=1
  add_ipv6 router srv 2001:db8:2::1 server wan 2001:db8:2::2
  add_ipv6 server lan 2001:db8:3::1 web eth0 2001:db8:3::80
  add_ipv6 router cl1 2001:db8:1::1 client eth0 2001:db8:1::2
  ip -n "$(ns server)" -6 route add default via 2001:db8:2::1
  ip -n "$(ns router)" -6 route add 2001:db8:3::/64 via 2001:db8:2::2
  ip -n "$(ns client)" -6 route add default via 2001:db8:1::1
  ip -n "$(ns web)" -6 route add default via 2001:db8:3::1
  for host in "${hosts[@]}"; do wait_for 5 is_settled "$host" || fail "$host's links are not up"; done
}

add_ipv6() {
  ip -n "$(ns "$1")" -6 address add "$3/64" dev "$2"
  ip -n "$(ns "$4")" -6 address add "$6/64" dev "$5"
}

# The kernel tells a moment later that a cable has two ends.
is_settled() { ! ip -n "$(ns "$1")" -o link | grep -E 'state (DOWN|LOWER)'; }

# count_around: from now on the router knows the way to the web, and counts the client's packets to it;
# around prints how many went around the tunnel.
count_around() {
  ip -n "$(ns router)" route replace 192.0.2.0/24 via 203.0.113.2
  on router nft -f - <<'NFT'
table inet seen {
  counter around { }
  chain prerouting {
    type filter hook prerouting priority -400;
    iifname "cl1" ip daddr 192.0.2.0/24 counter name around
    iifname "cl1" ip6 daddr 2001:db8:3::/64 counter name around
  }
}
NFT
}
around() { on router nft list counter inet seen around | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }

# Everything of a host's network that the programs may touch.
host_state() {
  # Links tell of namespaces that they lead to, also of other tests' that are just going away.
  # shellcheck disable=SC2016  # for the host's shell
  on "$1" sh -c 'ip -o link 2>/dev/null | sed "s/ qlen [0-9]*//"; ip -o address | sed "s/ *valid_lft.*//"
    ip rule; ip -6 rule; ip route show table all; ip -6 route show table all
    nft list ruleset; cat /etc/resolv.conf
    ls /run/qdt 2>/dev/null | grep "\.$(stat -Lc %i /proc/self/ns/net)\.undo"
    cd /proc/sys/net && grep -s . ipv4/ip_forward ipv4/conf/*/forwarding ipv4/conf/*/rp_filter \
      ipv4/conf/*/src_valid_mark ipv4/conf/*/promote_secondaries ipv6/conf/*/disable_ipv6 \
      ipv6/conf/*/forwarding ipv6/conf/*/accept_ra' 2>&1
}

# remember HOST; check_unchanged WORDS HOST: its state is what it was when it was remembered.
remember() { host_state "$1" >"$work/$1.state"; }
check_unchanged() {
  local difference
  difference=$(host_state "$2" | diff "$work/$2.state" -) || fail "$1: $2 has changed: $difference"
  say "ok: $1"
}

# --- programs ---

certificate() {
  [ -e "$work/server.crt" ] || "$here/../../scripts/gen-cert.sh" \
    "$work/server.crt" "$work/server.key" "$server_address" "$server_address6" vpn.test >/dev/null
}

fingerprint() {
  openssl x509 -in "$work/server.crt" -outform DER | sha256sum | cut -d' ' -f1
}

# run HOST LOG COMMAND...: in the background, its PID in $pid.
run() {
  ip netns exec "$(ns "$1")" "${@:3}" >>"$work/$2.log" 2>&1 &
  pid=$!
}

# try HOST COMMAND...: to its end, at most 20 s; $output has what it printed, $status how it ended.
try() {
  status=0
  output=$(timeout --foreground 20 ip netns exec "$(ns "$1")" "${@:2}" 2>&1) || status=$?
}

# with_defaults [YAML...] -- YAML...: the lines before --, and those behind it whose key is new;
# "#KEY:" before -- leaves one out.
with_defaults() {
  local given=$'\n'
  while [ "$1" != -- ]; do given+=$1$'\n'; shift; done
  shift
  printf '%s' "${given#?}"
  local line
  for line; do
    case $given in *$'\n'"${line%%:*}:"* | *$'\n#'"${line%%:*}:"*) ;; *) say "$line" ;; esac
  done
}

# write_server_config [YAML...]: server.yaml; lines given here take the place of the defaults.
# QDT_SEND_WORKERS=N runs a test with N shards.
write_server_config() {
  certificate
  with_defaults "$@" -- 'addr: ":443"' "token: $token" "tls_cert: server.crt" \
    "tls_key: server.key" "log_level: debug" "send_workers: ${QDT_SEND_WORKERS:-1}" \
    >"$work/server.yaml"
  chmod 600 "$work/server.yaml"
}

# write_client_config NAME [YAML...]: NAME.yaml, likewise.
write_client_config() {
  certificate
  with_defaults "${@:2}" -- "server: $server_address:443" "token: $token" \
    "tls_fingerprint: sha256:$(fingerprint)" "log_level: debug" >"$work/$1.yaml"
  chmod 600 "$work/$1.yaml"
}

# start_server [YAML...]: until it is ready; its PID in $server_pid.
start_server() {
  write_server_config "$@"
  : >"$work/server.log"
  run server server "${server_command[@]}" --config "$work/server.yaml"
  server_pid=$pid
  wait_for 10 grep -q 'ready: clients are taken' "$work/server.log" || fail "the server is not ready"
}

# run_client [HOST [YAML...]]: without waiting for anything; its PID in $client_pid.
run_client() {
  local name=${1:-client}
  write_client_config "$name" "${@:2}"
  : >"$work/$name.log"
  run "$name" "$name" "$build/qdt-client" --config "$work/$name.yaml"
  client_pid=$pid
}

# start_client [HOST [YAML...]]: until it is connected.
start_client() {
  run_client "$@"
  wait_for 10 grep -q 'connected: this host is' "$work/${1:-client}.log" || fail "${1:-client} is not connected"
  # Not one that was there before.
  kill -0 "$client_pid" || fail "${1:-client} has ended"
}

# private_etc HOST: a /etc of its own in memory, without the files of add_host, for tests that make
# /etc/resolv.conf something else than a file; for commands behind in_etc alone.
private_etc() {
  mkdir -p "$work/etc"
  # shellcheck disable=SC2016  # for the host's shell
  run "$1" etc unshare -m bash -c 'mount --make-rprivate /
    for file in /etc/resolv.conf /etc/hosts; do umount "$file" || true; done
    mount -t tmpfs etc "$1" && cp -a /etc/. "$1" && mount --bind "$1" /etc && rm -f /etc/resolv.conf
    echo ready; exec sleep 600' - "$work/etc"
  etc_pid=$pid
  wait_for 10 grep -q ready "$work/etc.log" || fail "no /etc of its own"
}
in_etc() { nsenter -t "$etc_pid" -m -n -- "$@"; }

# start_client_in_etc NAME [YAML...]: until it is connected; its PID in $client_pid.
start_client_in_etc() {
  write_client_config "$@"
  : >"$work/$1.log"
  nsenter -t "$etc_pid" -m -n -- "$build/qdt-client" --config "$work/$1.yaml" >>"$work/$1.log" 2>&1 &
  client_pid=$!
  wait_for 10 grep -q 'connected: this host is' "$work/$1.log" || fail "$1 is not connected"
}

# try_client [HOST [YAML...]]: for one that is not to connect; as try().
try_client() {
  write_client_config "${1:-client}" "${@:2}"
  try "${1:-client}" "$build/qdt-client" --config "$work/${1:-client}.yaml"
}

# Whether the server has one shard; with more of them, chance decides which address is lent next.
has_one_shard() { [ "${QDT_SEND_WORKERS:-1}" -eq 1 ]; }

# Its inner address.
lease() { sed -n 's/.*connected: this host is \([0-9.]*\) .*/\1/p' "$work/$1.log" | tail -n 1; }

# Its inner IPv6 address, if the tunnel carries IPv6.
lease6() {
  ip -n "$(ns "$1")" -6 -o address show dev qdt0 scope global | sed 's/.* inet6 \([0-9a-f:]*\).*/\1/'
}

# probe HOST ARGUMENTS...: what qdt-probe prints.
probe() { on "$1" "$build/qdt-probe" --token "$token" "$server_address:443" "${@:2}" || true; }

# knows_path HOST: whether its client has found out how much the path carries.
knows_path() { on "$1" "$build/qdt-client" --status --json | grep -q '"path_mtu":[1-9]'; }

# ended PID [SECONDS]: waits for the end of a process that run() started; its exit status in $status.
ended() {
  wait_for "${2:-10}" is_gone "$1" || fail "process $1 does not end"
  status=0
  wait "$1" 2>/dev/null || status=$?
}
is_gone() { ! kill -0 "$1"; }

# stop PID [SIGNAL]: ends a process that run() started; its exit status in $status, and how long it
# took in $milliseconds.
stop() {
  local begun=${EPOCHREALTIME/./}
  kill -"${2:-TERM}" "$1"
  ended "$1"
  milliseconds=$(((${EPOCHREALTIME/./} - begun) / 1000))
}

# host_process PID: that of a program, by which it changes its host's network.
host_process() {
  local child children=()
  read -ra children <"/proc/$1/task/$1/children" || true  # there is no end of line
  for child in "${children[@]}"; do
    if [ "$(cat "/proc/$child/comm")" = qdt-host ]; then say "$child"; fi
  done
}

# crash PID: both processes of a program end where they stand, as when a service runs out of memory.
crash() {
  local host
  host=$(host_process "$1")
  kill -STOP "$1" "$host"
  kill -KILL "$1" "$host"
  ended "$1"
  wait_for 5 is_gone "$host"
}

# fetch HOST URL...
fetch() { on "$1" curl -sS --fail --noproxy '*' --max-time 10 "${@:2}"; }

# metric SERIES: its value at the server, as in metric 'qdt_handshakes_total{result="ok"}'.
metric() {
  fetch server http://127.0.0.1:9435/metrics |
    awk -v series="$1" 'index($0, series " ") == 1 { print $NF; found = 1 } END { exit !found }' ||
    fail "no metric $1"
}

# serve_files HOST ADDRESS: over HTTP on port 8000, all that is in $work/files.
serve_files() {
  local url=http://$2:8000/
  case $2 in *:*) url=http://[$2]:8000/ ;; esac
  mkdir -p "$work/files"
  echo "$2 $1.test" >>"$(etc "$1" hosts)"  # which the server looks up
  run "$1" "$1-http" python3 -u -m http.server --directory "$work/files" --bind "$2" 8000
  wait_for 10 fetch "$1" "$url" || fail "$1 serves no files"
}

# --- the end ---

# A build with sanitizers tells of leaks when a program ends by itself.
end_sanitized() {
  [ "${QDT_SANITIZED:-}" = yes ] || return 0
  local pid
  for pid in $(jobs -pr); do
    case $(readlink "/proc/$pid/exe") in "$(realpath "$build")"/*) kill -TERM "$pid" ;; esac
  done 2>/dev/null
  wait_for 10 have_ended || say "FAILED: a program of $build does not end" >&2
}
have_ended() {
  local pid
  for pid in $(jobs -pr); do
    case $(readlink "/proc/$pid/exe") in "$(realpath "$build")"/*) return 1 ;; esac
  done
}

# clean_up [STATUS]: leaves with it, or else with the one that the script ended with.
clean_up() {
  local status=${1:-$?} pid host inode
  trap - EXIT
  trap '' INT TERM
  end_sanitized
  if compgen -G "$work/sanitizer.*" >/dev/null; then
    say "FAILED: a sanitizer has found something" >&2
    cat "$work"/sanitizer.* >&2
    status=1
  fi
  exec 2>/dev/null  # the shell tells of every process that is killed
  for pid in $(jobs -pr); do kill -KILL "$pid" || true; done
  wait
  for host in "${hosts[@]}"; do
    # Left by programs that a test killed: another namespace may get the number.
    inode=$(stat -Lc %i "/run/netns/$(ns "$host")")
    rm -f "/run/qdt/"*".$inode."{undo,status,resume,shared,server.sock,client.sock}
    ip netns delete "$(ns "$host")" || true
    rm -rf "/etc/netns/$(ns "$host")"
  done
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

[ "$(id -u)" -eq 0 ] || fail "namespace tests make network namespaces: run them as root"
