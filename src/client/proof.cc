#include "client/proof.h"

#include <algorithm>

#include "base/bytes.h"
#include "wire/concealed_auth.h"
#include "wire/ip_ranges.h"
#include "wire/server_proof.h"

namespace qdt::client {
namespace {

// What a server may have the client route: more would be no split tunnel, but a table.
constexpr std::size_t kMaxRoutes = 1024;

// The first address of a kind; nothing when there is none, an error when it cannot be used.
Result<std::optional<IpAddress>> first_lease(const std::vector<Prefix>& lent, bool is_v4) {
  for (const Prefix& prefix : lent) {
    const IpAddress& address = prefix.address();
    if (address.is_v4() != is_v4) continue;
    if (!wire::is_host_address(address)) {
      return fail("the server assigns an unusable address, " + address.to_string());
    }
    return address;
  }
  return std::nullopt;
}

// The prefix of `answer` that has the lease in it, or the lease alone.
Prefix pool_around(const wire::SessionAnswer& answer, const IpAddress& lease) {
  for (const Prefix& pool : answer.pools) {
    if (pool.contains(lease)) return pool;
  }
  return Prefix::of_host(lease);
}

IpAddress gateway_of(const wire::SessionAnswer& answer, bool is_v4) {
  for (const IpAddress& gateway : answer.gateways) {
    if (gateway.is_v4() == is_v4) return gateway;
  }
  return IpAddress::unspecified(is_v4);
}

Result<std::vector<Prefix>> routes_of(const std::vector<wire::IpRange>& ranges,
                                      const wire::ConnectResponse& lease) {
  const auto is_pool = [&](const Prefix& prefix) {
    return lease.cidr.contains(prefix) || (lease.ipv6 && lease.ipv6->cidr.contains(prefix));
  };
  std::vector<Prefix> routes;
  for (const wire::IpRange& range : ranges) {
    if (range.protocol != 0) continue;
    for (const Prefix& prefix : wire::prefixes_of(range)) {
      if (!wire::is_routable(prefix) || is_pool(prefix)) continue;
      if (!prefix.address().is_v4() && !lease.ipv6) continue;
      if (routes.size() == kMaxRoutes) {
        return fail("the server advertises more than " + std::to_string(kMaxRoutes) + " routes");
      }
      routes.push_back(prefix);
    }
  }
  return routes;
}

// Whether the server may be believed.
Result<void> check_proof(const wire::SessionAnswer& answer, const Identity& identity,
                         const wire::Exporter& exporter, const wire::SessionRequest& asked) {
  if (identity.server_keys.empty()) return {};
  if (!answer.key) return fail("it did not prove that it is the server");
  if (std::ranges::count(identity.server_keys, *answer.key) == 0) {
    return fail("it proved to have another key than the server's");
  }
  wire::ServerProof proof{.client_nonce = asked.nonce,
                          .server_nonce = answer.nonce,
                          .client_key = wire::Ed25519Key(identity.seed).public_key()};
  exporter.derive(wire::kServerProofLabel, {}, proof.exported);
  if (!wire::verify_server_proof(*answer.key, proof, answer.proof)) {
    return fail("its proof is not of this connection");
  }
  return {};
}

}  // namespace

Identity identity_of(std::string_view token) {
  const wire::TokenKeys keys = wire::derive_token_keys(token);
  return {.seed = keys.client,
          .server_keys = {wire::Ed25519Key(keys.server).public_key()},
          .psk = keys.psk};
}

quic::Request version2_request(const Identity& identity, const wire::Authority& authority,
                               std::string_view path_template, const wire::Exporter& exporter,
                               const wire::SessionRequest& field) {
  const wire::Ed25519Key key(identity.seed);
  const auto key_id = wire::key_id_of(key.public_key());
  wire::ConcealedExport exported;
  exporter.derive(wire::kConcealedLabel,
                  wire::concealed_context(key_id, key.public_key(), authority.host, authority.port),
                  exported);
  return {
      .method = "CONNECT",
      .authority = wire::write_authority(authority),
      .path = wire::expand_path(path_template),
      .headers = {{"capsule-protocol", "?1"},
                  {"authorization", wire::write_concealed_auth(wire::prove(key, key_id, exported))},
                  {std::string(wire::kSessionFieldName), wire::write_session_field(field)}},
      .body = {},
      .protocol = std::string(wire::kConnectIpProtocol)};
}

Result<wire::SessionAnswer> believe(const std::optional<std::string>& field,
                                    const Identity& identity, const wire::Exporter& exporter,
                                    const wire::SessionRequest& asked) {
  wire::SessionAnswer answer{.mtu = asked.mtu, .key = {}};
  if (field) {
    auto parsed = wire::parse_session_answer(*field, asked.caps);
    if (!parsed) return fail(parsed);
    answer = std::move(*parsed);
  }
  if (auto ok = check_proof(answer, identity, exporter, asked); !ok) return fail(ok);
  if (identity.needs_sealed && !answer.caps.sealed) {
    return fail(
        "it does not seal packets with this device's psk; the server's entry of the device "
        "needs the same psk");
  }
  return answer;
}

Result<wire::ConnectResponse> lease_of(const wire::SessionAnswer& answer,
                                       const std::vector<Prefix>& lent,
                                       const std::vector<wire::IpRange>& routes) {
  const auto lease = first_lease(lent, /*is_v4=*/true);
  if (!lease) return fail(lease);
  if (!*lease) return fail("the server assigns no IPv4 address");
  const auto lease6 = first_lease(lent, /*is_v4=*/false);
  if (!lease6) return fail(lease6);
  wire::ConnectResponse response{.session_id = load_be<std::uint64_t>(answer.nonce.data()),
                                 .server_nonce = answer.nonce,
                                 .mtu = answer.mtu,
                                 .client_ip = **lease,
                                 .gateway_ip = gateway_of(answer, /*is_v4=*/true),
                                 .cidr = pool_around(answer, **lease),
                                 .dns = answer.dns,
                                 .caps = wire::to_capabilities(answer.caps),
                                 .dns_domains = answer.domains,
                                 .resume_token = answer.resume_token,
                                 .direct_ids = answer.direct_ids};
  if (response.gateway_ip == response.client_ip) {
    return fail("the server assigns its own address, " + response.client_ip.to_string());
  }
  if (*lease6 && answer.mtu >= wire::kMinIpv6Mtu) {
    response.ipv6 = wire::Ipv6Addresses{.client_ip = **lease6,
                                        .gateway_ip = gateway_of(answer, /*is_v4=*/false),
                                        .cidr = pool_around(answer, **lease6)};
  } else {
    std::erase_if(response.dns, [](const IpAddress& server) { return server.is_v6(); });
  }
  auto wanted = routes_of(routes, response);
  if (!wanted) return fail(wanted);
  response.routes = std::move(*wanted);
  return response;
}

}  // namespace qdt::client
