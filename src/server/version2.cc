#include "server/version2.h"

#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
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
                         .has_field = true,
                         .enrol = read->enrol};
}

std::optional<Refusal> refuse_unsealed(const Version2Request& asked, const access::Device* device) {
  if (device == nullptr || !device->needs_sealed() || asked.caps.sealed) return std::nullopt;
  return Refusal{HandshakeResult::kBadRequest,
                 "a device with a psk did not ask for the cap \"sealed\""};
}

Version2Session settle_version2(const Version2Request& asked, const access::UserTable::Match& who,
                                const access::Credential& credential,
                                const wire::Ed25519Seed& identity, const wire::Exporter& exporter,
                                Grant& grant) {
  // The device of whoever proves a key or a login; a token is version 1's.
  static const access::Device kNone;
  const access::Device& device = who.device == nullptr ? kNone : *who.device;
  Version2Session session{.caps = wire::to_session_caps(grant.response.caps),
                          .has_field = asked.has_field,
                          .client_key = credential.key().value_or(wire::Ed25519PublicKey{}),
                          .server_seed = device.server_seed.value_or(identity)};
  session.caps.fragment = asked.caps.fragment;
  session.caps.sealed = device.needs_sealed();
  // The session's ID, which logs show, is the beginning of the server's nonce.
  wire::HandshakeNonce& server_nonce = grant.response.server_nonce;
  store_be<std::uint64_t>(server_nonce.data(), grant.response.session_id);
  session.terms = wire::settle_terms(exporter, session.caps, device.psk, grant.request.client_nonce,
                                     server_nonce);
  return session;
}

void prove(wire::SessionAnswer& answer, const wire::Ed25519Seed& server_seed,
           const wire::HandshakeNonce& client_nonce, const wire::Ed25519PublicKey& client_key,
           const wire::Exporter& exporter) {
  const wire::Ed25519Key key(server_seed);
  wire::ServerProof proof{
      .client_nonce = client_nonce, .server_nonce = answer.nonce, .client_key = client_key};
  exporter.derive(wire::kServerProofLabel, {}, proof.exported);
  answer.key = key.public_key();
  answer.proof = wire::sign_server_proof(key, proof);
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
  prove(answer, session.server_seed, grant.request.client_nonce, session.client_key, exporter);
  return answer;
}

}  // namespace qdt::server
