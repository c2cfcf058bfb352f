// The handshake and the datagrams of version 2 (docs/protocol.md).

#include <algorithm>

#include "contact.h"
#include "wire/base64.h"
#include "wire/capsule.h"
#include "wire/concealed_auth.h"
#include "wire/ip_capsule.h"
#include "wire/psk_keys.h"
#include "wire/server_proof.h"

namespace qdt::fuzz {
namespace {

constexpr std::string_view kHost = "localhost";
// The contexts of datagrams that no session has.
constexpr std::array<std::uint64_t, 3> kOtherContexts = {8, 62, std::uint64_t{1} << 40};

// What has lines in `fields` under that name, as one (RFC 9110 section 5.3).
std::optional<std::string> joined(const Contact::Fields& fields, std::string_view name) {
  quic::Message message;
  message.headers = fields;
  return message.joined(name);
}

}  // namespace

wire::SessionRequest Contact::new_session_request(Who who, const std::string& resume_token) {
  wire::SessionRequest request{.nonce = random_.bytes<wire::kHandshakeNonceBytes>(),
                               .caps = wire::to_session_caps(wire::Capabilities::supported()),
                               .mtu = 1350,
                               .resume_token = resume_token,
                               .name = "somebody",
                               .platform = "linux"};
  request.caps.direct = true;
  request.caps.sealed = who == Who::kSealedDevice;
  for (int i = 0; i < 4; ++i) request.direct_ids.push_back(random_.bytes<wire::kDirectIdBytes>());
  who_ = who;
  asked_ = request;
  request_.reset();
  return request;
}

std::string Contact::authorization(const Keys& keys, Who who, Flaw flaw) const {
  if (flaw == Flaw::kMissing) return "";
  switch (who) {
    case Who::kBasic:
      return "Basic " + wire::encode_base64(as_bytes(keys.name + ":" + keys.secret));
    case Who::kBearer: return "Bearer " + keys.secret;
    case Who::kToken:
    case Who::kDevice:
    case Who::kSealedDevice: break;
    default: return "";
  }
  if (!raw.is_handshake_complete()) return "";
  const wire::Ed25519Key named(keys.identity_of(who).seed);
  const wire::Ed25519Key key(flaw == Flaw::kKey ? wire::Ed25519Seed{77}
                                                : keys.identity_of(who).seed);
  auto key_id = wire::key_id_of(named.public_key());
  if (flaw == Flaw::kKeyId) key_id[0] ^= 1;
  wire::ConcealedExport exported;
  raw.export_secret(wire::kConcealedLabel,
                    wire::concealed_context(key_id, named.public_key(),
                                            flaw == Flaw::kContent ? "another.host" : kHost, 443),
                    exported);
  wire::ConcealedAuth auth = wire::prove(key, key_id, exported);
  auth.public_key = named.public_key();
  if (flaw == Flaw::kSignature) auth.proof[63] ^= 1;
  if (flaw == Flaw::kVerification) auth.verification[15] ^= 1;
  return wire::write_concealed_auth(auth);
}

Contact::Fields Contact::request_fields(const wire::SessionRequest& request,
                                        const std::string& authorization) {
  Fields fields = {{":method", "CONNECT"},
                   {":protocol", std::string(wire::kConnectIpProtocol)},
                   {":scheme", "https"},
                   {":authority", std::string(kHost)},
                   {":path", wire::expand_path(wire::kDefaultTemplate)},
                   {"capsule-protocol", "?1"},
                   {std::string(wire::kSessionFieldName), wire::write_session_field(request)}};
  if (!authorization.empty()) fields.emplace_back("authorization", authorization);
  return fields;
}

std::optional<wire::SessionAnswer> Contact::new_session_answer(const Keys& keys, Who who,
                                                               Flaw flaw) {
  const auto fields = head();
  const auto field = fields ? joined(*fields, wire::kSessionFieldName) : std::nullopt;
  const auto request = wire::parse_session_request(field.value_or(""));
  if (!request || !raw.is_handshake_complete()) return std::nullopt;
  asked_ = *request;
  who_ = who;
  wire::SessionAnswer answer{.nonce = random_.bytes<wire::kHandshakeNonceBytes>(),
                             .caps = request->caps,
                             .mtu = 1350,
                             .resume_token = "token",
                             .gateways = {IpAddress::v4(0x0a080001)},
                             .pools = {*Prefix::parse("10.8.0.0/24")},
                             .dns = {IpAddress::v4(0x01010101)},
                             .domains = {},
                             .key = {}};
  for (int i = 0; i < 4; ++i) answer.direct_ids.push_back(random_.bytes<wire::kDirectIdBytes>());
  answered_ = answer;
  if (flaw == Flaw::kMissing) return answer;

  const wire::Ed25519Key key(flaw == Flaw::kKey ? wire::Ed25519Seed{77}
                                                : keys.server_seed_for(who));
  wire::ServerProof proof{.exported = raw.export_secret(wire::kServerProofLabel),
                          .client_nonce = request->nonce,
                          .server_nonce = answer.nonce,
                          .client_key = wire::Ed25519Key(keys.identity_of(who).seed).public_key()};
  if (flaw == Flaw::kContent) proof.client_nonce[0] ^= 1;
  answer.key = wire::Ed25519Key(keys.server_seed_for(who)).public_key();
  answer.proof = wire::sign_server_proof(key, proof);
  if (flaw == Flaw::kSignature) answer.proof[63] ^= 1;
  return answer;
}

ByteVector Contact::first_capsules() const {
  ByteVector capsules;
  const wire::CapsuleAddress addresses[] = {{.request_id = 0, .prefix = {lease(), 32}},
                                            {.request_id = 0, .prefix = {lease6(), 128}}};
  const wire::IpRange routes[] = {
      {.first = IpAddress::v4(0), .last = IpAddress::v4(0xffffffff), .protocol = 0}};
  wire::append_capsule(capsules, wire::capsule::kAddressAssign, wire::write_addresses(addresses));
  wire::append_capsule(capsules, wire::capsule::kRouteAdvertisement, wire::write_routes(routes));
  wire::append_capsule(capsules, wire::capsule::kSendRate, wire::write_send_rate(20'000'000));
  return capsules;
}

// Whether the whole answer of a server has come: a success, and addresses.
bool Contact::take_session_answer() {
  const auto fields = head();
  const auto status = fields ? joined(*fields, ":status") : std::nullopt;
  if (!status || *status != "200" || assigned().empty()) return false;
  wire::SessionAnswer answer{.key = {}};
  if (const auto field = joined(*fields, wire::kSessionFieldName)) {
    const auto parsed = wire::parse_session_answer(*field, asked_->caps);
    if (!parsed) return false;
    answer = *parsed;
  }
  answered_ = answer;
  return true;
}

std::vector<wire::CapsuleAddress> Contact::assigned() const {
  const std::string stream = body();
  wire::CapsuleReader reader;
  Bytes rest = as_bytes(stream);
  while (true) {
    const auto capsule = reader.take(rest);
    if (!capsule || !*capsule) return {};
    if ((*capsule)->type != wire::capsule::kAddressAssign) continue;
    return wire::parse_address_assign((*capsule)->value)
        .value_or(std::vector<wire::CapsuleAddress>());
  }
}

bool Contact::open_version2(const Keys& keys) {
  if (role_ == Role::kClient && !take_session_answer()) return false;
  if (!answered_) return false;
  const wire::SessionCaps& caps = answered_->caps;
  const wire::AeadAlgorithm aead = wire::to_capabilities(caps).aead();
  const std::optional<wire::PresharedKey> psk = keys.identity_of(who_).psk;
  auto session = std::make_unique<Session>();
  session->contexts = wire::ContextTerms{
      .fragment = caps.fragment, .control = caps.ping || caps.close, .sealed = std::nullopt};
  if (caps.sealed && psk) {
    session->contexts->sealed = wire::derive_sealed_keys(
        raw.export_secret(wire::kSealedExporterLabel), *psk, asked_->nonce, answered_->nonce, aead);
  }
  session->lease = lease();
  for (const wire::CapsuleAddress& one : assigned()) {
    const IpAddress& address = one.prefix.address();
    if (address.is_v4()) session->lease = address;
    if (address.is_v6()) session->lease6 = address;
  }
  session_ = std::move(session);
  if (!caps.direct) return true;
  open_direct(wire::derive_direct_secrets(raw.export_secret(wire::kDirectExporterLabel2), psk,
                                          asked_->nonce, answered_->nonce, aead),
              asked_->direct_ids, answered_->direct_ids);
  return true;
}

ByteVector Contact::context_datagram(std::uint8_t type, std::uint64_t counter,
                                     Bytes content) const {
  constexpr std::uint8_t kTypes = 5;
  if (type >= kTypes) {
    return ByteWriter().varint(kOtherContexts[type % kOtherContexts.size()]).append(content).bytes;
  }
  wire::ContextSealer sealer(*session_->contexts, role_, counter);
  const auto known = static_cast<wire::DatagramType>(type);
  ByteVector datagram(sealer.overhead(known) + content.size());
  sealer.seal(known, {}, content, datagram);
  return datagram;
}

}  // namespace qdt::fuzz
