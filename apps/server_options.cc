#include "server_options.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "os/processors.h"
#include "tunnel/session.h"
#include "version.h"

namespace qdt::apps {
namespace {

// The first byte of a connection ID, and eBPF programs, know no more.
constexpr std::size_t kMaxShards = 64;

std::size_t shard_count(std::size_t send_workers) {
  return send_workers > 0 ? send_workers : std::min(os::usable_processors(), kMaxShards);
}

std::optional<server::Ipv6Pool> ipv6_pool(const ops::ServerConfig& config) {
  if (!config.pool_cidr6) return std::nullopt;
  return server::Ipv6Pool{.prefix = *config.pool_cidr6, .gateway = config.gateway_ip6};
}

wire::Capabilities offered_caps(const ops::ServerConfig& config) {
  wire::Capabilities caps = wire::Capabilities::supported(config.aead);
  caps.direct = caps.shared_id = config.data_plane != ops::DataPlane::kQuic;
  return caps;
}

os::ClientAccess client_access(const ops::ServerConfig& config) {
  const auto refuses = [&](bool is_translated) {
    const bool by_pool = config.nat_inbound == ops::Inbound::kByPool;
    return by_pool ? is_translated : config.nat_inbound == ops::Inbound::kRefuse;
  };
  return {.answers_only = refuses(config.nat_enabled),
          .answers_only6 = refuses(config.nat_enabled && config.nat_ipv6),
          .reach_each_other = config.client_to_client,
          .host = config.host_access,
          .denied = config.deny,
          .name_servers = config.dns,
          .follows_connections = config.nat_enabled};
}

// An office has many clients behind its address; a pool has to have room for others all the same.
access::ClientShares::Options shares(const ops::ServerConfig& config) {
  const std::size_t max = config.max_sessions_per_client;
  const std::size_t pool = std::size_t{1} << (32 - config.pool_cidr.length());
  return {.max_of_client = max,
          .max_of_address = std::max(max, std::min(8 * max, std::max<std::size_t>(pool / 2, 16)))};
}

std::vector<access::Device> devices(const ops::ServerConfig& config) {
  std::vector<access::Device> devices;
  for (const ops::DeviceConfig& one : config.devices) {
    access::Device device{.name = one.name, .key = one.key, .psk = one.psk};
    if (one.secret_digest) {
      device.login = access::Device::Login{.name = one.login, .secret_digest = *one.secret_digest};
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

std::size_t largest_mtu(Auth auth) {
  return auth == Auth::kToken ? tunnel::kLargestVersion1Mtu : tunnel::kLargestTunnelMtu;
}

}  // namespace

server::Reception::Options::Version2 version2_options(const ops::ServerConfig& config,
                                                      const wire::Ed25519Seed& identity) {
  return {.path_template = config.path,
          .authorities = config.authority,
          .identity = identity,
          .identity_key = wire::Ed25519Key(identity).public_key()};
}

server::Server::Options server_options(const ops::ServerConfig& config) {
  return {.address = config.addr,
          .tun_name = config.tun_name,
          .shard_count = shard_count(config.send_workers),
          .udp_offloads = {.gso = config.udp_gso, .gro = config.udp_gro},
          .use_tun_offloads = config.tun_offloads,
          .admission = {.token = config.token,
                        .devices = devices(config),
                        .rate = config.handshake_rate,
                        .address_rate = config.handshake_ip_rate,
                        .address_ttl = config.handshake_ip_ttl,
                        .max_sessions = config.max_sessions,
                        .shares = shares(config),
                        .limits = {.session_rate = config.rate_limit}},
          .exchange = {.has_shaper = config.has_shaping},
          .reception = {.offer = {.mtu = config.mtu.value_or(largest_mtu(config.auth)),
                                  .caps = offered_caps(config),
                                  .pool = config.pool_cidr,
                                  .gateway = config.gateway_ip,
                                  .ipv6 = ipv6_pool(config),
                                  .pushed = {.dns = config.dns,
                                             .routes = config.push_routes,
                                             .dns_domains = config.dns_domains},
                                  .needs_direct = config.data_plane == ops::DataPlane::kDirect},
                        .send_queue = config.send_queue,
                        .max_reassembly_bytes = config.max_reassembly_bytes,
                        .takes_version1 = config.auth != Auth::kProof,
                        .version1_mtu = config.mtu.value_or(tunnel::kLargestVersion1Mtu)},
          .tunnel = {.endpoint = {.connection = {.congestion = config.congestion,
                                                 .takes_extended_connect =
                                                     config.auth != Auth::kToken}},
                     .send_batch = config.send_batch,
                     .session_timeout = config.session_timeout},
          .send_datagram_queue = config.send_datagram_queue,
          .access = client_access(config),
          .has_nat = config.nat_enabled,
          .has_nat6 = config.nat_ipv6,
          .external_interface = config.nat_external_iface,
          .lease_grace = config.lease_grace};
}

os::SandboxOptions sandbox_options(const ops::ServerConfig& config, const os::ProcessUser& user) {
  return {.user = user, .has_profiler = config.pprof_addr.has_value()};
}

ops::MonitoringOptions monitoring_options(const ops::ServerConfig& config) {
  return {.metrics_addr = config.metrics_addr,
          .health_addr = config.health_addr,
          .pprof_addr = config.pprof_addr};
}

ops::MetricsSource metrics_source(const ops::ServerConfig& config, const server::Server& server,
                                  const std::atomic<std::int64_t>& certificate_expiry) {
  return {.version = kVersion,
          .readiness = [&server] { return server.obstacle(); },
          .host_repairs = [&server] { return server.host_repairs(); },
          .shards = server.counters(),
          .handshakes = &server.handshakes(),
          .decoy = &server.decoy_counters(),
          .certificate_expiry = &certificate_expiry,
          .max_sessions = [&server] { return server.max_sessions(); },
          .max_sessions_per_client = [&server] { return server.max_sessions_per_client(); },
          .pool_addresses = server.leases().capacity(),
          .kept_leases = [&server] { return server.kept_leases(); },
          .send_queue_packets = config.send_queue,
          .payload_queue_payloads = config.send_datagram_queue};
}

}  // namespace qdt::apps
