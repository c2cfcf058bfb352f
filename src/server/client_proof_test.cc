#include "server/client_proof.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "wire/base64.h"
#include "wire/concealed_auth.h"

namespace qdt::server {
namespace {

using Kind = access::Credential::Kind;

wire::Exporter exporter(std::uint8_t connection = 1) {
  return wire::Exporter(std::array<std::uint8_t, 32>{connection});
}

const wire::Ed25519Key kDevice(wire::Ed25519Seed{1});
const wire::Ed25519Key kServer(wire::Ed25519Seed{9});

// A sound proof, of which a test breaks a part.
struct Proof {
  std::string host = "vpn.example";
  std::uint16_t port = 443;
  std::uint8_t connection = 1;
  std::vector<std::uint8_t> key_id = wire::key_id_of(kDevice.public_key());

  wire::ConcealedAuth auth() const {
    wire::ConcealedExport exported;
    exporter(connection)
        .derive(wire::kConcealedLabel,
                wire::concealed_context(key_id, kDevice.public_key(), host, port), exported);
    return wire::prove(kDevice, key_id, exported);
  }
  std::string text() const { return wire::write_concealed_auth(auth()); }
};

quic::Message request(quic::HeaderFields headers, const std::string& authority = "vpn.example") {
  quic::Message message;
  message.method = "CONNECT";
  message.authority = authority;
  message.headers = std::move(headers);
  return message;
}

access::Credential shown(const quic::Message& message,
                         const std::vector<wire::Authority>& authorities = {}) {
  return shown_by(message, exporter(), authorities, kServer.public_key());
}
bool shows_key(const quic::Message& message, const std::vector<wire::Authority>& authorities = {}) {
  const access::Credential credential = shown(message, authorities);
  return credential.kind() == Kind::kKey && credential.bytes() == as_text(kDevice.public_key());
}
bool shows_nothing(const quic::Message& message) {
  const access::Credential credential = shown(message);
  return credential.kind() == Kind::kToken && credential.token().empty();
}

TEST(ClientProof, ShowsAKey) {
  EXPECT_TRUE(shows_key(request({{"authorization", Proof().text()}})));
  EXPECT_TRUE(shows_key(request({{"proxy-authorization", Proof().text()}})));
  EXPECT_TRUE(shows_key(request({{"authorization", Proof().text()}}, "VPN.example:443")));
  EXPECT_TRUE(
      shows_key(request({{"authorization", Proof{.port = 8443}.text()}}, "vpn.example:8443")));
  EXPECT_TRUE(shows_key(
      request({{"authorization", Proof{.host = "[2001:db8::1]"}.text()}}, "[2001:db8::1]")));
}

TEST(ClientProof, IsOfOneConnectionAndOneServer) {
  EXPECT_TRUE(shows_nothing(request({{"authorization", Proof{.connection = 2}.text()}})));
  EXPECT_TRUE(shows_nothing(request({{"authorization", Proof{.host = "other.example"}.text()}})));
  EXPECT_TRUE(shows_nothing(request({{"authorization", Proof{.port = 444}.text()}})));
  EXPECT_TRUE(shows_nothing(request({{"authorization", Proof().text()}}, "vpn.example:444")));
  EXPECT_TRUE(shows_nothing(request({{"authorization", Proof().text()}}, "")));
  EXPECT_TRUE(shows_nothing(request({{"authorization", Proof().text()}}, "vpn.example:")));
}

TEST(ClientProof, KeepsToTheAuthoritiesThatItIsGiven) {
  const auto message = request({{"authorization", Proof().text()}});
  EXPECT_TRUE(shows_key(message, {{.host = "a.example"}, {.host = "vpn.example"}}));
  EXPECT_FALSE(shows_key(message, {{.host = "vpn.example", .port = 8443}}));
}

TEST(ClientProof, FailsWithAnyPartOfIt) {
  const auto fails = [](auto change) {
    wire::ConcealedAuth auth = Proof().auth();
    change(auth);
    return shows_nothing(request({{"authorization", wire::write_concealed_auth(auth)}}));
  };
  EXPECT_TRUE(fails([](auto& auth) { auth.proof[0] ^= 1; }));
  EXPECT_TRUE(fails([](auto& auth) { auth.proof[63] ^= 1; }));
  EXPECT_TRUE(fails([](auto& auth) { auth.verification[15] ^= 1; }));
  EXPECT_TRUE(fails([](auto& auth) { auth.public_key = kServer.public_key(); }));
  EXPECT_TRUE(fails([](auto& auth) { auth.key_id[0] ^= 1; }));
  // A proof of an ID that is not the key's is sound in itself.
  EXPECT_TRUE(shows_nothing(request({{"authorization", Proof{.key_id = {1, 2}}.text()}})));
}

TEST(ClientProof, NeedsExactlyOneField) {
  const std::string text = Proof().text();
  EXPECT_TRUE(shows_nothing(request({})));
  EXPECT_TRUE(shows_nothing(request({{"authorization", ""}})));
  EXPECT_TRUE(shows_nothing(request({{"authorization", text}, {"authorization", text}})));
  EXPECT_TRUE(shows_nothing(request({{"authorization", text}, {"proxy-authorization", text}})));
  EXPECT_TRUE(shows_nothing(request({{"x-authorization", text}})));
  for (std::size_t length = 0; length < text.size(); ++length) {
    ASSERT_TRUE(shows_nothing(request({{"authorization", text.substr(0, length)}}))) << length;
  }
}

TEST(ClientProof, ReadsNamesAndSecrets) {
  const auto bytes_of = [](const std::string& field) {
    const access::Credential credential = shown(request({{"authorization", field}}));
    return credential.kind() == Kind::kSecret ? std::string(credential.bytes()) : "none";
  };
  using namespace std::string_literals;
  const auto basic = [](const std::string& pair) {
    return "Basic " + wire::encode_base64(as_bytes(pair));
  };
  EXPECT_EQ(bytes_of(basic("tv:se:cret")), "tv\0se:cret"s);
  EXPECT_EQ(bytes_of("bearer abc.def"), "\0abc.def"s);
  EXPECT_EQ(bytes_of("BASIC   " + wire::encode_base64(as_bytes("a:b"))), "a\0b"s);
  EXPECT_EQ(bytes_of(basic("no colon")), "none");
  EXPECT_EQ(bytes_of(basic("a\0b:c"s)), "none");
  EXPECT_EQ(bytes_of("Basic ***"), "none");
  EXPECT_EQ(bytes_of("Basic"), "none");
  EXPECT_EQ(bytes_of("Digest abc"), "none");
}

}  // namespace
}  // namespace qdt::server
