#!/usr/bin/env bash
# A refusal by the host is told in one line, with its remedy; the exit status is 1 and the
# host as it was.
. "$(dirname "$0")/topology.sh"

topology
write_server_config 'send_workers: 1'  # a device with queues is another kind
write_client_config client
server=("$build/qdt-server" --config "$work/server.yaml")
client=("$build/qdt-client" --config "$work/client.yaml")

# refused HOST WORDS "WHAT" "REMEDY" COMMAND...
refused() {
  remember "$1"
  try "$1" "${@:5}"
  check_equal "$2: exit status 1" "$status" 1
  local line
  line=$(grep "^qdt-$1: " <<<"$output" || true)
  check_equal "$2: one line" "$(grep -c . <<<"$line")" 1
  check_contains "$2: it says what" "$line" "$3"
  check_contains "$2: it says how to mend it" "$line" "$4"
  check_unchanged "$2: the host is as it was" "$1"
}

unprivileged=(setpriv --bounding-set=-net_admin --inh-caps=-net_admin)
# shellcheck disable=SC2016  # for the host's shell
without_tun=(sh -c 'mount -t tmpfs none /dev/net && exec "$@"' -)
for host in server client; do
  declare -n program=$host
  refused "$host" "$host without CAP_NET_ADMIN" "not permitted" "CAP_NET_ADMIN" \
    "${unprivileged[@]}" "${program[@]}"
  refused "$host" "$host without /dev/net/tun" "open /dev/net/tun: it does not exist" \
    "modprobe tun" "${without_tun[@]}" "${program[@]}"

  ip -n "$(ns "$host")" link add qdt0 type veth peer name other
  refused "$host" "$host whose TUN device is another interface" "create TUN device qdt0" \
    "choose another tun_name" "${program[@]}"
  ip -n "$(ns "$host")" link delete qdt0

  run "$host" tun python3 -c '
import fcntl, os, struct, time
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH14x", b"qdt0", 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI
time.sleep(60)'
  wait_for 5 ip -n "$(ns "$host")" link show qdt0 || fail "no TUN device"
  refused "$host" "$host whose TUN device another program has" "the name is in use" \
    "choose another tun_name" "${program[@]}"
  stop "$pid"
done

echo garbage >"$work/garbage.crt"
for fault in missing garbage; do
  write_server_config "tls_cert: $fault.crt"
  refused server "server with a certificate that is $fault" "$work/$fault.crt" "PEM" "${server[@]}"
done
openssl ecparam -name prime256v1 -genkey -noout -out "$work/other.key"
write_server_config 'tls_key: other.key'
refused server "server with another certificate's key" "do not belong together" \
  "name the key that the certificate was made for" "${server[@]}"
write_server_config
chmod 755 "$work"
chown 65534 "$work/server.yaml"
refused server "server under a user who may not read the key" "$work/server.key" "may read" \
  setpriv --reuid=65534 --regid=65534 --clear-groups "${server[@]}"
chown 0 "$work/server.yaml"

start_server 'send_workers: 2'
start_client client 'route_mode: cidr'
refused client "a second client" "device qdt0 is in use by process $client_pid" \
  "choose another device name" "${client[@]}"
refused server "a second server" "bind UDP [::]:443: the port is in use" "choose another addr" \
  "${server[@]}"
for workers in 1 2; do
  write_server_config 'tun_name: other0' 'pool_cidr: 10.9.0.0/24' "send_workers: $workers"
  refused server "a second server with $workers shards on the port" "the port is in use" \
    "choose another addr" "${server[@]}"
done
write_server_config 'addr: :444' 'metrics_addr: off' 'health_addr: off'
refused server "a second server on the TUN device" "device qdt0 is in use by process $server_pid" \
  "choose another device name" "${server[@]}"
write_server_config 'addr: :444' 'tun_name: other0' 'pool_cidr: 10.9.0.0/24'
refused server "a second server on the metrics port" "metrics_addr" "set metrics_addr: off" \
  "${server[@]}"
write_server_config 'addr: 198.18.0.1:443'
refused server "an address that the host does not have" "bind UDP 198.18.0.1:443" \
  "use :443 for all of them" "${server[@]}"

check "all the time, the first ones worked" -- on client ping -c 2 -i 0.2 -W 2 10.8.0.1
