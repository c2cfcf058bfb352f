#include "client_options.h"

#include <optional>
#include <string>

#include "key_file.h"
#include "os/host_network.h"
#include "os/process.h"
#include "tunnel/tunnel.h"

namespace qdt::apps {
namespace {

wire::Capabilities offered_caps(const ops::ClientConfig& config) {
  if (!config.offers_caps) return {};
  wire::Capabilities caps = wire::Capabilities::supported(config.aead);
  caps.ipv6 &= os::can_use_ipv6();
  caps.resume = true;
  caps.direct = caps.shared_id = config.data_plane != ops::DataPlane::kQuic;
  return caps;
}

// By a key of its own; nothing where there is a token.
Result<std::optional<client::Identity>> identity_of(const ops::ClientConfig& config) {
  if (!config.key && config.key_file.empty()) return std::nullopt;
  client::Identity identity{
      .server_keys = config.server_keys, .psk = config.psk, .needs_sealed = config.psk.has_value()};
  if (config.key) {
    identity.seed = *config.key;
  } else {
    const auto seed = read_key_file(config.key_file, "qdt-client key --file makes such a file");
    if (!seed) return fail(seed);
    identity.seed = *seed;
  }
  return identity;
}

}  // namespace

Result<client::Client::Options> client_options(const ops::ClientConfig& config) {
  const auto identity = identity_of(config);
  if (!identity) return fail(identity);
  return client::Client::Options{
      .server_host = config.server_host,
      .server_port = config.server_port,
      .host = {.tun_name = config.tun_name,
               .routing = config.route_mode,
               .dns = config.dns,
               .has_dns = config.has_dns,
               .dns_domains = config.dns_domains,
               .dns_required = config.dns_required,
               .routes = config.routes,
               .exclude = config.exclude,
               .lan = config.lan.value_or(std::vector<Prefix>()),
               .leaves_lan = config.lan.has_value(),
               .mtu = config.mtu.value_or(tunnel::kLargestTunnelMtu),
               .up = config.up,
               .down = config.down,
               .has_kill_switch = config.kill_switch,
               .kill_switch_allows_lan = config.kill_switch_lan},
      .use_tun_offloads = config.tun_offloads,
      .keep_alive = config.keepalive,
      .congestion = config.congestion,
      .reconnect = {.timeout = config.timeout, .waits_for_server = config.wait_for_server},
      .udp_offloads = {.gso = config.udp_gso, .gro = config.udp_gro},
      .connector = {.token = config.token,
                    .server_name = config.server_name(),
                    .server_port = config.server_port,
                    .auth = config.offers_caps ? config.auth : Auth::kToken,
                    .identity = *identity,
                    .path_template = config.path,
                    .knows_certificate = config.tls_fingerprint || !config.insecure,
                    .mtu = config.mtu.value_or(tunnel::kLargestTunnelMtu),
                    .version1_mtu = config.mtu.value_or(tunnel::kLargestVersion1Mtu),
                    .caps = offered_caps(config),
                    .client_id = config.client_id.empty() ? os::host_name() : config.client_id,
                    .platform = os::platform(),
                    .max_reassembly_bytes = config.max_reassembly_bytes,
                    .needs_direct = config.data_plane == ops::DataPlane::kDirect,
                    .has_shaper = config.has_shaping},
      .is_confined = true};
}

Result<quic::TlsClientContext> trust(const ops::ClientConfig& config) {
  if (config.tls_fingerprint) {
    return quic::TlsClientContext::with_fingerprint(*config.tls_fingerprint);
  }
  // A server that proves its own key may have any certificate.
  if (config.insecure || !config.server_keys.empty())
    return quic::TlsClientContext::without_verification();
  return quic::TlsClientContext::with_system_trust();
}

}  // namespace qdt::apps
