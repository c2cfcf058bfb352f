#!/usr/bin/env bash
# Whatever happens to the network, to the server and to both hosts, in whatever order: the client is
# connected again within seconds, what the programs have set up is there again, not one packet goes
# around the tunnel in all of it, nothing piles up, and in the end both hosts are as they were.
# Faults of chance: SEED=... repeats a run, FAULTS=200 is the long one (four minutes),
# KINDS="link kill" has only these.
. "$(dirname "$0")/topology.sh"
. "$here/lan.sh"

faults=${FAULTS:-16}
RANDOM=$seed
say "seed $seed, $faults faults"
topology
count_around

# A /run/qdt of the client's own, which can be filled.
mkdir -p "$work/run"
# shellcheck disable=SC2016  # for the host's shell
run client mounts unshare -m bash -c 'mount --make-rprivate / && mkdir -p /run/qdt &&
  mount -t tmpfs -o size=64k confined /run/qdt && echo ready && exec sleep 3600'
mounts_pid=$pid
wait_for 10 grep -q ready "$work/mounts.log" || fail "no /run of its own"
inside() { nsenter -t "$mounts_pid" -m -n -- "$@"; }

# by_chance LOW HIGH: a number in $chance, LOW and HIGH included. Not by $(...): there, the shell has
# other numbers than those of the seed.
by_chance() { chance=$(($1 + RANDOM % ($2 - $1 + 1))); }
# pause LOW HIGH: tenths of seconds.
pause() {
  by_chance "$1" "$2"
  sleep "$((chance / 10)).$((chance % 10))"
}
# one_of WORDS...: in $chosen.
one_of() {
  by_chance 1 $#
  chosen=${!chance}
}

# --- the network's faults, and the server's end ---

take() {
  on client ip -4 address flush dev eth0
  on client ip address add "198.51.100.$1/24" dev eth0
  on client ip route add default via 198.51.100.1
}
take6() {
  on client ip -6 address replace 2001:db8:1::2/64 dev eth0
  on client ip -6 route replace default via 2001:db8:1::1
}
# drop TABLE RULE...: the router drops that.
drop() {
  on router nft add table ip "$1"
  on router nft add chain ip "$1" drops '{ type filter hook prerouting priority -200; }'
  on router nft add rule ip "$1" drops "${@:2}" drop
}
client_port() { on client ss -Hunap | awk '/"qdt-client"/ { sub(/.*:/, "", $4); print $4; exit }'; }

fault_address() {
  by_chance 2 9
  take "$chance"
}
fault_link() {
  on client ip link set eth0 down
  pause 1 30
  on client ip link set eth0 up
  on client ip route replace default via 198.51.100.1
  take6
}
fault_kill() {
  stop "$server_pid" KILL
  pause 0 10
  start_server "${server_yaml[@]}"
}
fault_stop() {
  stop "$server_pid"
  start_server "${server_yaml[@]}"
}
# A NAT that forgets the client: its port is dead from now on, both ways.
fault_rebind() {
  local port
  port=$(client_port)
  drop forgotten udp sport "${port:-1}"
  drop forgotten udp dport "${port:-1}"
}
# Nothing of the client's arrives, while the server is still heard.
fault_uplink() { drop forgotten udp sport "$(client_port)"; }
fault_silence() {
  drop faults udp dport 443
  pause 5 30
  on router nft delete table ip faults
}
fault_loss() {
  by_chance 10 60
  drop faults numgen random mod 100 '<' "$chance"
  pause 5 30
  on router nft delete table ip faults
}
fault_pause() {
  kill -STOP "$client_pid"
  pause 5 60
  kill -CONT "$client_pid"
}

# --- somebody changes the client's host ---

# A fault that follows another at once may find the device gone: then there is nothing to change.
tun() { on "$1" "${@:2}" 2>/dev/null || true; }
# rules FAMILY: the priorities of the tunnel's.
rules() { on client ip "$1" rule | sed 's/:.*//' | grep -vxE '0|32766|32767' || true; }

fault_device_down() { tun client ip link set qdt0 down; }
fault_device_down_up() {
  tun client ip link set qdt0 down
  pause 0 1
  tun client ip link set qdt0 up
}
fault_device_deleted() { tun client ip link delete qdt0; }
# Below 1280, the kernel takes IPv6 away with all its addresses and routes.
fault_device_mtu() {
  one_of 600 1200 1280 1300 1500
  tun client ip link set qdt0 mtu "$chosen"
}
fault_device_renamed() {
  tun client ip link set qdt0 down
  tun client ip link set qdt0 name other0
  tun client ip link set other0 up
}
# Into another network namespace.
fault_device_moved() { tun client ip link set qdt0 netns "$(ns web)"; }
fault_device_addresses() {
  one_of -4 -6 ''
  tun client ip ${chosen:+"$chosen"} address flush dev qdt0 scope global
}
fault_rules() {
  local family priority all
  one_of all one
  all=$chosen
  for family in -4 -6; do
    # shellcheck disable=SC2046  # numbers
    set -- $(rules "$family")
    if [ "$all" = one ]; then
      one_of "$@"
      set -- ${chosen:+"$chosen"}
    fi
    for priority; do tun client ip "$family" rule delete priority "$priority"; done
  done
}
# Somebody's rule for everything, before the tunnel's.
fault_foreign_rule() {
  local first
  one_of -4 -6
  first=$(rules "$chosen" | head -n 1)
  foreign_family=$chosen
  by_chance 1 9
  foreign_rule=$((${first:-20000} - chance))
  on client ip "$foreign_family" rule add priority "$foreign_rule" lookup main
}
withdraw_foreign_rule() {
  [ -n "$foreign_rule" ] || return 0
  on client ip "$foreign_family" rule delete priority "$foreign_rule" lookup main
  foreign_rule=
}
fault_routes() {
  one_of -4 -6
  tun client ip "$chosen" route flush table "$tunnel_table"
  if [ "$chosen" = -4 ]; then tun client ip -4 route flush dev qdt0; fi
}
# Somebody's route in the tunnel's table: in the place of its own, or for a part of the world.
fault_foreign_route() {
  one_of '0.0.0.0/0 via 198.51.100.1' '128.0.0.0/1 dev eth0' '2000::/3 dev eth0' '::/0 dev eth0 metric 1'
  # shellcheck disable=SC2086  # words
  tun client ip route replace $chosen table "$tunnel_table"
  one_of 192.0.0.0/2 2000::/3
  tun client ip route add unreachable "$chosen" table "$tunnel_table"
}
fault_sysctls() {
  one_of ipv6.conf.qdt0.disable_ipv6=1 ipv4.conf.all.src_valid_mark=0 ipv4.conf.qdt0.rp_filter=1
  tun client sysctl -qw "net.$chosen"
}
fault_run_emptied() { inside sh -c 'rm -rf /run/qdt/*'; }
fault_tables() { on client nft flush ruleset; }
fault_resolv_conf() {
  users_resolv_conf="# text $number
nameserver 198.51.100.$((number % 250 + 1))"
  # shellcheck disable=SC2016  # for the host's shell
  inside sh -c 'printf "%s\n" "$1" >/etc/resolv.conf' - "$users_resolv_conf"
}
# It stays so for a while.
fault_run_full() {
  if inside test -e /run/qdt/filler; then
    inside rm /run/qdt/filler
  else
    inside dd if=/dev/zero of=/run/qdt/filler bs=4k status=none 2>/dev/null || true
  fi
}
harmless=(USR1 USR2 PIPE ALRM VTALRM PROF IO XFSZ TTIN TTOU RTMIN RTMAX)
fault_signals() {
  one_of "${harmless[@]}"
  kill -"$chosen" "$client_pid"
  one_of "${harmless[@]}"
  kill -"$chosen" "$client_pid" "$server_pid"
  kill -HUP "$server_pid"
}

# --- and the server's ---

fault_server_device_down() { tun server ip link set qdt0 down; }
fault_server_device_deleted() { tun server ip link delete qdt0; }
fault_server_addresses() {
  one_of -4 -6 ''
  tun server ip ${chosen:+"$chosen"} address flush dev qdt0 scope global
}
fault_server_tables() { on server nft flush ruleset; }
fault_server_forwarding() { on server sysctl -qw net.ipv4.ip_forward=0; }

# --- how it has to be ---

descriptors() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$client_pid/status"; }
pings() { on client ping -n -q -c 1 -W 0.3 "$1" >/dev/null 2>&1; }
carries() { pings 10.8.0.1 && pings "$web_address" && pings "$web_address6"; }
device_of() {
  on "$1" ip -o link show dev qdt0 | grep -o '[<,]UP[,>]'
  on "$1" ip -o address show dev qdt0 scope global | sed 's/^[0-9]*: //; s/ *valid_lft.*//'
}
# setup: prints all that the programs have set up. A rule may have another priority than in the beginning, but
# not another place.
setup() {
  local family foreign
  device_of client
  for family in -4 -6; do
    foreign=none
    if [ "$family" = "$foreign_family" ] && [ -n "$foreign_rule" ]; then foreign=$foreign_rule; fi
    on client ip "$family" rule | grep -v "^$foreign:" | sed 's/^[0-9]*://'
    on client ip "$family" route show table "$tunnel_table"
  done
  inside grep ^nameserver /etc/resolv.conf
  device_of server
  on server nft -s list ruleset
  on server cat /proc/sys/net/ipv4/ip_forward
} 2>/dev/null
is_back() { carries && setup >"$work/now" && diff "$work/before" "$work/now" >"$work/difference"; }

# Everybody on the client's host sends to the web all the time, those too that insist on eth0.
cat >"$work/senders.py" <<'END'
import itertools, socket, time
for turn in itertools.count():
    for family, address in ((socket.AF_INET, "192.0.2.80"), (socket.AF_INET6, "2001:db8:3::80")):
        for device in (b"", b"eth0"):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(family, kind) as s:
                    s.setblocking(False)
                    try:
                        if device: s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
                        s.connect((address, 9))
                        if kind == socket.SOCK_DGRAM: s.send(b"x")
                    except OSError:
                        pass
    time.sleep(0.03)
END

remember client
remember server
run client senders python3 "$work/senders.py"
run client pinger ping -n -q -i 0.02 "$web_address"
run client pinger6 ping -n -q -i 0.02 "$web_address6"
goes_around() { [ "$(around)" -gt 50 ]; }
check "without the tunnel, the router counts what they send" -- wait_for 5 goes_around
users_resolv_conf=$(inside cat /etc/resolv.conf)
# The client comes again and again: that is not guessing.
server_yaml=('send_workers: 4' 'handshake_ip_rate: {pps: 0}' 'pool_cidr6: fd00:8::/64' 'dns: [192.0.2.53]')
start_server "${server_yaml[@]}"
write_client_config client 'route_mode: default'
: >"$work/client.log"
nsenter -t "$mounts_pid" -m -n -- "$build/qdt-client" --config "$work/client.yaml" >>"$work/client.log" 2>&1 &
client_pid=$!
wait_for 10 grep -q 'connected: this host is' "$work/client.log" || fail "the client is not connected"
# A server that is killed before it has noted a lease lends another one.
wait_for 5 test -s "$work/server.leases" || fail "the server does not note its leases"
on router nft reset counters table inet seen >/dev/null
wait_for 10 carries || fail "the web is not reached"
foreign_rule=
foreign_family=
tunnel_table=$(on client ip route show table all | sed -n 's/^default dev qdt0 .*table \([0-9]*\).*/\1/p' | head -n 1)
setup >"$work/before"
check "the tunnel takes everything" -- test -n "$tunnel_table"

kinds=(address link kill stop rebind uplink silence loss pause
  device_down device_down_up device_deleted device_mtu device_renamed device_moved device_addresses
  rules foreign_rule routes foreign_route sysctls tables resolv_conf run_full run_emptied signals
  server_device_down server_device_deleted server_addresses server_tables server_forwarding)
[ -z "${KINDS:-}" ] || read -ra kinds <<<"$KINDS"
# Each kind once before one comes again.
deck=()
draw() {
  local at
  [ "${#deck[@]}" -gt 0 ] || deck=("${kinds[@]}")
  by_chance 0 $((${#deck[@]} - 1))
  at=$chance
  kind=${deck[at]}
  unset 'deck[at]'
  deck=("${deck[@]}")
}

worst=0
base_descriptors=0
number=0
while [ "$number" -lt "$faults" ]; do
  number=$((number + 1))
  draw
  happened=$kind
  "fault_$kind"
  # Misfortunes never come singly.
  by_chance 1 4
  if [ "$chance" -eq 1 ] && [ "$number" -lt "$faults" ] && [ -z "$foreign_rule" ]; then
    number=$((number + 1))
    draw
    happened+=" and $kind"
    "fault_$kind"
  fi
  begun=${EPOCHREALTIME/./}
  wait_for 10 is_back || fail "fault $number of seed $seed, $happened: it does not come back: $(cat "$work/difference")"
  took=$(((${EPOCHREALTIME/./} - begun) / 1000))
  [ "$took" -lt 5000 ] || fail "fault $number of seed $seed, $happened: back after $took ms"
  [ "$took" -gt "$worst" ] && worst=$took
  on router nft delete table ip forgotten 2>/dev/null || true
  withdraw_foreign_rule
  kill -0 "$client_pid" || fail "the client has ended"
  say "fault $number, $happened: back after $took ms, $(descriptors "$client_pid") descriptors, $(resident) KB"
  [ "$(around)" -eq 0 ] || fail "fault $number of seed $seed, $happened: $(around) packets went around the tunnel"
  # Both have settled by then: buffers, the path MTU, name servers.
  if [ "$base_descriptors" -eq 0 ] && [ "$number" -ge $(((faults + 3) / 4)) ]; then
    base_descriptors=$(descriptors "$client_pid")
    base_resident=$(resident)
  fi
  pause 0 5
done
say "the longest took $worst ms"
check "descriptors do not pile up" -- test "$(descriptors "$client_pid")" -le $((base_descriptors + 2))
check "nor does memory" -- test "$(resident)" -le $((base_resident + 8192))
before=$(descriptors "$server_pid")
for _ in 1 2 3; do
  fault_server_device_deleted
  wait_for 10 is_back || fail "it does not come back"
done
check "nor do the server's descriptors" -- test "$(descriptors "$server_pid")" -le $((before + 2))

take 2
take6
wait_for 5 is_back || fail "the client does not come back"
check_equal "not one packet went around the tunnel" "$(around)" 0
inside rm -f /run/qdt/filler
stop "$client_pid"
check_equal "the client is stopped like any other" "$status" 0
check_equal "what the user wrote last into resolv.conf is there" "$(inside cat /etc/resolv.conf)" "$users_resolv_conf"
# The note stays by which the next start gets the same lease again.
check_equal "nothing is left in /run/qdt" "$(inside ls -A /run/qdt | grep -vE '^lock$|\.resume$')" ''
echo "nameserver 127.0.0.53" >"$(etc client resolv.conf)"
check_unchanged "the client's host is as it was" client
stop "$server_pid"
check_equal "the server is stopped like any other" "$status" 0
check_unchanged "the server's host is as it was" server
