// The direct plane's known answers (tests/direct_vectors.json), both ways.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "wire/direct_packet.h"
#include "wire/hex_fixture.h"

namespace qdt::wire {
namespace {

using Json = nlohmann::json;

const Json& vectors() {
  static const Json json = Json::parse(std::ifstream(QDT_SOURCE_DIR "/tests/direct_vectors.json"));
  return json;
}

DirectSecrets secrets(AeadAlgorithm algorithm) {
  const Json& keys = vectors()["keys"];
  return derive_direct_secrets(from_hex<HkdfSecret>(keys["exporter_hex"]),
                               keys["token"].get<std::string>(),
                               from_hex<HandshakeNonce>(keys["client_nonce_hex"]),
                               from_hex<HandshakeNonce>(keys["server_nonce_hex"]), algorithm);
}

TEST(DirectVectors, DerivesTheKnownSecrets) {
  const DirectSecrets derived = secrets(AeadAlgorithm::kAes256Gcm);
  EXPECT_EQ(derived.client, from_hex<HkdfSecret>(vectors()["keys"]["client_0_secret_hex"]));
  EXPECT_EQ(derived.server, from_hex<HkdfSecret>(vectors()["keys"]["server_0_secret_hex"]));
}

class DirectPacketVector : public testing::TestWithParam<std::size_t> {
 protected:
  const Json& expected = vectors()["packets"][GetParam()];
  const AeadAlgorithm algorithm = expected["aead"] == "aes-256-gcm"
                                      ? AeadAlgorithm::kAes256Gcm
                                      : AeadAlgorithm::kChaCha20Poly1305;
  const HkdfSecret secret =
      expected["direction"] == "client" ? secrets(algorithm).client : secrets(algorithm).server;
  const DirectId id = from_hex<DirectId>(expected["id_hex"]);
  const Octets payload = from_hex(expected["payload_hex"]);
  const Octets packet = from_hex(expected["packet_hex"]);
  const std::uint64_t counter = expected["counter"];
  const std::uint64_t updates = expected["updates"];
  std::array<std::uint8_t, 2000> out;

  Bytes seal(DirectSealer& sealer, Bytes content) {
    return Bytes(out).first(sealer.seal(id, content, out, {}));
  }
};

TEST_P(DirectPacketVector, SealsTheKnownPacket) {
  DirectSealer sealer(algorithm, secret, {}, counter - updates);
  for (std::uint64_t i = 0; i < updates; ++i) {
    seal(sealer, {});
    sealer.acknowledge(sealer.next_counter() - 1);
    sealer.update_key({});
  }
  EXPECT_TRUE(std::ranges::equal(seal(sealer, payload), packet));
}

TEST_P(DirectPacketVector, OpensTheKnownPacket) {
  DirectOpener opener(algorithm, secret);
  // Brought near enough by one packet of each phase before, and one every 2^31 counters.
  std::array<std::uint8_t, 2000> content;
  for (std::uint64_t at = 0; updates > 0 && at < counter - updates; at += 0x7000'0000) {
    DirectSealer hop(algorithm, secret, {}, at);
    ASSERT_TRUE(opener.open(seal(hop, {}), content, {}, 1s));
  }
  DirectSealer before(algorithm, secret, {}, counter - updates);
  for (std::uint64_t i = 0; i < updates; ++i) {
    ASSERT_TRUE(opener.open(seal(before, {}), content, {}, 1s));
    before.acknowledge(before.next_counter() - 1);
    before.update_key({});
  }
  const auto opened = opener.open(packet, content, {}, 1s);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->counter, counter);
  EXPECT_TRUE(std::ranges::equal(Bytes(content).first(opened->bytes), payload));
}

INSTANTIATE_TEST_SUITE_P(All, DirectPacketVector,
                         testing::Range(std::size_t{0}, vectors()["packets"].size()));

}  // namespace
}  // namespace qdt::wire
