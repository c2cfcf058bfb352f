// Every case of the protocol's known answers (tests/vectors.json), both ways.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "wire/base64.h"
#include "wire/datagram.h"
#include "wire/fragment.h"
#include "wire/hex_fixture.h"
#include "wire/seal.h"

namespace qdt::wire {
namespace {

using Json = nlohmann::json;

const Json& vectors() {
  static const Json json = Json::parse(std::ifstream(QDT_SOURCE_DIR "/tests/vectors.json"));
  return json;
}

HandshakeNonce nonce(const Json& text) {
  HandshakeNonce nonce;
  append(nonce, from_hex(text));
  return nonce;
}

SessionKeys keys_of(const Json& json) {
  return derive_session_keys(json["token"].get<std::string>(), nonce(json["client_nonce_hex"]),
                             nonce(json["server_nonce_hex"]));
}

void expect_bytes(Bytes actual, const Json& expected) {
  const auto bytes = from_hex(expected);
  EXPECT_TRUE(std::ranges::equal(actual, bytes));
}

class KeyVector : public testing::TestWithParam<std::size_t> {};

TEST_P(KeyVector, DerivesTheKnownKeys) {
  const Json& expected = vectors()["keys"][GetParam()];
  const SessionKeys keys = keys_of(expected);
  expect_bytes(keys.client.key, expected["client_key_hex"]);
  expect_bytes(keys.server.key, expected["server_key_hex"]);
  expect_bytes(keys.client.nonce_prefix, expected["client_nonce_prefix_hex"]);
  expect_bytes(keys.server.nonce_prefix, expected["server_nonce_prefix_hex"]);
  for (const std::string side : {"client", "server"}) {
    const Json& text = expected[side + "_nonce_base64"];
    const auto bytes = from_hex(expected[side + "_nonce_hex"]);
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(*decode_base64(text.get<std::string>()), bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(All, KeyVector, testing::Range(std::size_t{0}, vectors()["keys"].size()));

class DatagramVector : public testing::TestWithParam<std::size_t> {
 protected:
  const Json& expected = vectors()["datagrams"][GetParam()];
  const bool from_client = expected["direction"] == "client_to_server";
  const SessionKeys keys = keys_of(vectors()["keys"][0]);
  const DirectionKey& key = from_client ? keys.client : keys.server;
  const SessionId session = load_be<SessionId>(from_hex(expected["session_id_hex"]).data());
  const std::vector<std::uint8_t> packet = from_hex(expected["packet_hex"]);
};

TEST_P(DatagramVector, SealsTheKnownDatagrams) {
  const std::size_t limit = expected["max_datagram"];
  DatagramSealer sealer(session, key, expected["first_counter"]);
  std::vector<std::vector<std::uint8_t>> sent;
  const auto seal = [&](DatagramType type, Bytes prefix, Bytes body) {
    std::vector<std::uint8_t> out(kDatagramOverhead + prefix.size() + body.size());
    sealer.seal(type, prefix, body, out);
    sent.push_back(std::move(out));
  };

  if (fits_one_datagram(packet.size(), limit)) {
    seal(DatagramType::kData, {}, packet);
  } else {
    // The known answers' fragment ID is in the first datagram; open it to learn it.
    DatagramOpener opener(session, key);
    std::vector<std::uint8_t> plaintext(65536);
    ASSERT_TRUE(opener.open(from_hex(expected["datagrams_hex"][0]), plaintext));
    const auto id = load_be<std::uint32_t>(plaintext.data());
    const std::size_t piece_bytes = limit - kFragmentOverhead;
    for (std::size_t offset = 0; offset < packet.size(); offset += piece_bytes) {
      const std::size_t bytes = std::min(piece_bytes, packet.size() - offset);
      const auto header = encode_fragment_header(
          {id, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(packet.size())});
      seal(DatagramType::kFragment, header, Bytes(packet).subspan(offset, bytes));
    }
  }

  const Json& datagrams = expected["datagrams_hex"];
  ASSERT_EQ(sent.size(), datagrams.size());
  for (std::size_t i = 0; i < sent.size(); ++i) expect_bytes(sent[i], datagrams[i]);
}

TEST_P(DatagramVector, OpensTheKnownDatagrams) {
  DatagramOpener opener(session, key);
  Reassembler reassembler(65535);
  std::vector<std::uint8_t> plaintext(65536);
  std::vector<std::uint8_t> received;
  for (const Json& datagram : expected["datagrams_hex"]) {
    const auto opened = opener.open(from_hex(datagram), plaintext);
    ASSERT_TRUE(opened);
    const Bytes content = Bytes(plaintext).first(opened->bytes);
    if (opened->type == DatagramType::kData) {
      received.assign(content.begin(), content.end());
      continue;
    }
    ASSERT_EQ(opened->type, DatagramType::kFragment);
    const auto whole = reassembler.add(content, Timestamp{});
    ASSERT_TRUE(whole);
    if (*whole) received.assign((*whole)->begin(), (*whole)->end());
  }
  EXPECT_EQ(received, packet);
}

INSTANTIATE_TEST_SUITE_P(All, DatagramVector,
                         testing::Range(std::size_t{0}, vectors()["datagrams"].size()));

TEST(Secrets, MatchOnlyWhenEqual) {
  EXPECT_TRUE(secrets_match("token", "token"));
  EXPECT_FALSE(secrets_match("token", "Token"));
  EXPECT_FALSE(secrets_match("token", "token "));
  EXPECT_FALSE(secrets_match("token", ""));
}

}  // namespace
}  // namespace qdt::wire
