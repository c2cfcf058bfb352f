#include "server/version2.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "wire/server_proof.h"

namespace qdt::server {
namespace {

using wire::HandshakeResult;

const wire::Ed25519Seed kIdentity{42};
const wire::Ed25519PublicKey kKey = wire::Ed25519Key(wire::Ed25519Seed{5}).public_key();
constexpr wire::HandshakeNonce kClientNonce{1, 2, 3};

wire::Exporter exporter() {
  return wire::Exporter(std::array<std::uint8_t, 32>{7});
}

Version2Request asked(const wire::SessionCaps& caps = {}) {
  const auto read = read_version2(wire::PathScope::kUnlimited,
                                  wire::write_session_field(wire::SessionRequest{
                                      .nonce = kClientNonce, .caps = caps, .mtu = 1400}));
  EXPECT_TRUE(read);
  return *read;
}

struct Settled {
  Version2Session session;
  Grant grant;
};

Settled settle(const Version2Request& request, const access::Device& device,
               const access::Credential& credential) {
  Grant grant{.request = request.request,
              .response = {.session_id = 0x0102030405060708,
                           .server_nonce = {9, 9, 9, 9, 9, 9, 9, 9, 9},
                           .caps = request.request.caps}};
  const auto user = std::make_shared<const access::User>();
  auto session = settle_version2(request, {.user = user, .device = &device}, credential, kIdentity,
                                 exporter(), grant);
  return {std::move(session), grant};
}

TEST(ReadVersion2, RefusesWhatThePathOrTheFieldHasNot) {
  const auto result = [](wire::PathScope scope, const std::optional<std::string>& field) {
    const auto read = read_version2(scope, field);
    return read ? HandshakeResult::kOk : read.error();
  };
  EXPECT_EQ(result(wire::PathScope::kUnlimited, std::nullopt), HandshakeResult::kOk);
  EXPECT_EQ(result(wire::PathScope::kLimited, std::nullopt), HandshakeResult::kLimitedScope);
  EXPECT_EQ(result(wire::PathScope::kMalformed, std::nullopt), HandshakeResult::kBadRequest);
  EXPECT_EQ(result(wire::PathScope::kUnlimited, "v=2"), HandshakeResult::kBadRequest);
  EXPECT_EQ(result(wire::PathScope::kUnlimited, "v=3, nonce=:AQEBAQEBAQEBAQEBAQEBAQ==:"),
            HandshakeResult::kBadRequest);
}

TEST(ReadVersion2, GivesAPlainClientNoCaps) {
  const auto read = read_version2(wire::PathScope::kUnlimited, std::nullopt);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_field);
  EXPECT_EQ(read->caps, wire::SessionCaps());
  EXPECT_EQ(read->request.mtu, 65535u);
}

TEST(SettleVersion2, ProvesItselfByTheIdentityOrTheTokensKey) {
  const access::Device phone{.name = "phone", .key = kKey};
  EXPECT_EQ(settle(asked(), phone, access::Credential::of_key(kKey)).session.server_seed,
            kIdentity);
  const access::Device of_token = access::token_device("a token of sixteen");
  EXPECT_EQ(
      settle(asked(), of_token, access::Credential::of_key(*of_token.key)).session.server_seed,
      *of_token.server_seed);
}

// A device may have a key and a login: the proof names what was proved.
TEST(SettleVersion2, NamesTheKeyThatWasProvedAndNoOther) {
  const access::Device both{.name = "both",
                            .key = kKey,
                            .login = access::Device::Login{.name = "both", .secret_digest = {}}};
  EXPECT_EQ(settle(asked(), both, access::Credential::of_key(kKey)).session.client_key, kKey);
  EXPECT_EQ(settle(asked(), both, access::Credential::of_secret("both", "x")).session.client_key,
            wire::Ed25519PublicKey());
}

TEST(SettleVersion2, RefusesADeviceWithAPskThatDoesNotSeal) {
  const access::Device device{.name = "phone", .key = kKey, .psk = wire::PresharedKey{3}};
  const auto refusal = refuse_unsealed(asked(), &device);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->result, HandshakeResult::kBadRequest);
  EXPECT_FALSE(refuse_unsealed(asked({.sealed = true}), &device));
  const auto sealed =
      settle(asked({.sealed = true}), device, access::Credential::of_key(kKey)).session;
  EXPECT_TRUE(sealed.caps.sealed && sealed.terms.contexts.sealed);
}

TEST(SettleVersion2, SealsNothingForADeviceWithoutAPsk) {
  const access::Device phone{.name = "phone", .key = kKey};
  const auto session =
      settle(asked({.sealed = true}), phone, access::Credential::of_key(kKey)).session;
  EXPECT_FALSE(refuse_unsealed(asked(), &phone));
  EXPECT_FALSE(session.caps.sealed || session.terms.contexts.sealed);
}

TEST(Version2Answer, HasTheServersProofOfThisConnection) {
  const access::Device phone{.name = "phone", .key = kKey};
  const auto settled = settle(asked({.ping = true}), phone, access::Credential::of_key(kKey));
  const wire::SessionAnswer answer = version2_answer(settled.grant, settled.session, exporter());
  // The session's ID is the beginning of the nonce.
  EXPECT_EQ(load_be<std::uint64_t>(answer.nonce.data()), settled.grant.response.session_id);
  wire::ServerProof proof{
      .client_nonce = kClientNonce, .server_nonce = answer.nonce, .client_key = kKey};
  exporter().derive(wire::kServerProofLabel, {}, proof.exported);
  EXPECT_TRUE(
      wire::verify_server_proof(wire::Ed25519Key(kIdentity).public_key(), proof, answer.proof));
  EXPECT_TRUE(answer.caps.ping);
}

}  // namespace
}  // namespace qdt::server
