#include "server/version2.h"

#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "wire/psk_keys.h"
#include "wire/server_proof.h"

namespace qdt::server {
namespace {

using wire::HandshakeResult;

// A client of CONNECT-IP alone names none: packets are as large as datagrams carry them.
constexpr std::size_t kPlainMtu = 65535;

}  // namespace

std::expected<Version2Request, HandshakeResult> read_version2(
    wire::PathScope scope, const std::optional<std::string>& field) {
  if (scope == wire::PathScope::kMalformed) return std::unexpected(HandshakeResult::kBadRequest);
  if (scope == wire::PathScope::kLimited) return std::unexpected(HandshakeResult::kLimitedScope);
  if (!field) {
    const wire::SessionCaps none;
    return Version2Request{.request = {.mtu = kPlainMtu, .caps = wire::to_capabilities(none)},
                           .caps = none};
  }
  auto read = wire::parse_session_request(*field);
  if (!read) return std::unexpected(HandshakeResult::kBadRequest);
  return Version2Request{.request = {.client_nonce = read->nonce,
                                     .mtu = read->mtu,
                                     .caps = wire::to_capabilities(read->caps),
                                     .client_id = std::move(read->name),
                                     .platform = std::move(read->platform),
                                     .resume_token = std::move(read->resume_token),
                                     .direct_ids = std::move(read->direct_ids)},
                         .caps = read->caps,
                         .has_field = true};
}

std::expected<Version2Session, Refusal> settle_version2(const Version2Request& asked,
                                                        const access::UserTable::Match& who,
                                                        const wire::Ed25519Seed& identity,
                                                        const wire::Exporter& exporter,
                                                        Grant& grant) {
  const access::Device* device = who.device;
  const bool has_own_psk = device != nullptr && device->psk && !device->server_seed;
  if (has_own_psk && !asked.caps.sealed) {
    return std::unexpected(Refusal{HandshakeResult::kBadRequest,
                                   "a device with a psk did not ask for the cap \"sealed\""});
  }
  Version2Session session{.has_field = asked.has_field};
  session.caps = wire::to_session_caps(grant.response.caps);
  session.caps.fragment = asked.caps.fragment;
  session.caps.sealed = has_own_psk;
  session.server_seed = device != nullptr && device->server_seed ? *device->server_seed : identity;
  if (device != nullptr && device->key) session.client_key = *device->key;

  // The session's ID, which logs show, is the beginning of the server's nonce.
  store_be<std::uint64_t>(grant.response.server_nonce.data(), grant.response.session_id);
  const auto& client_nonce = grant.request.client_nonce;
  const auto& server_nonce = grant.response.server_nonce;
  const std::optional<wire::PresharedKey> psk = device == nullptr ? std::nullopt : device->psk;
  const wire::AeadAlgorithm aead = grant.response.caps.aead();
  if (session.caps.sealed) {
    session.sealed = wire::derive_sealed_keys(exporter.derive(wire::kSealedExporterLabel), *psk,
                                              client_nonce, server_nonce, aead);
  }
  if (session.caps.direct) {
    session.direct = wire::derive_direct_secrets(exporter.derive(wire::kDirectExporterLabel2), psk,
                                                 client_nonce, server_nonce, aead);
  }
  return session;
}

wire::SessionAnswer version2_answer(const Grant& grant, const Version2Session& session,
                                    const wire::Exporter& exporter) {
  const wire::ConnectResponse& response = grant.response;
  wire::SessionAnswer answer{.nonce = response.server_nonce,
                             .caps = session.caps,
                             .mtu = response.mtu,
                             .direct_ids = response.direct_ids,
                             .resume_token = response.resume_token,
                             .gateways = {response.gateway_ip},
                             .pools = {response.cidr},
                             .dns = response.dns,
                             .domains = response.dns_domains,
                             .key = {}};
  if (response.ipv6) {
    answer.gateways.push_back(response.ipv6->gateway_ip);
    answer.pools.push_back(response.ipv6->cidr);
  }
  const wire::Ed25519Key key(session.server_seed);
  wire::ServerProof proof{.client_nonce = grant.request.client_nonce,
                          .server_nonce = response.server_nonce,
                          .client_key = session.client_key};
  exporter.derive(wire::kServerProofLabel, {}, proof.exported);
  answer.key = key.public_key();
  answer.proof = wire::sign_server_proof(key, proof);
  return answer;
}

}  // namespace qdt::server
