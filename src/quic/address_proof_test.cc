#include "quic/address_proof.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/raw_quic.h"
#include "support/seeded_random.h"

namespace qdt::quic {
namespace {

using Verdict = AddressProof::Verdict;

constexpr Timestamp kNow = Timestamp(100h);

ConnectionId id(const std::string& text) {
  return ConnectionId(as_bytes(text));
}

class AddressProofTest : public ::testing::Test {
 protected:
  // The token of a Retry packet as it comes: behind 1 + 4 bytes and the two IDs.
  std::vector<std::uint8_t> retry(Timestamp now = kNow) {
    const std::size_t bytes = proof.write(from, ids, random, now, packet);
    packet_bytes = bytes;
    const std::size_t at = 5 + 1 + ids.client.bytes().size() + 1 + ids.retry.bytes().size();
    return {packet.begin() + static_cast<std::ptrdiff_t>(at),
            packet.begin() + static_cast<std::ptrdiff_t>(bytes - wire::kTagBytes)};
  }
  Verdict take(const std::vector<std::uint8_t>& token, Timestamp now = kNow) {
    const auto judged = proof.judge(token, from, ids.retry, now);
    if (judged.verdict == Verdict::kGood) proof.spend(judged);
    return judged.verdict;
  }

  testing::SeededRandom random{1};
  AddressProof proof{ServerSecret{7}};
  SocketAddress from{IpAddress::v4(0xc0000201), 50000};
  AddressProof::Ids ids{
      .client = id("client"), .original = id("original one"), .retry = id("retried!")};
  std::array<std::uint8_t, 1200> packet{};
  std::size_t packet_bytes = 0;
};

TEST_F(AddressProofTest, IsARetryPacketOfItsConnection) {
  const auto token = retry();
  auto expected =
      testing::retry_packet(ids.client.bytes(), ids.retry.bytes(), token, ids.original.bytes());
  expected[0] = packet[0];
  ASSERT_EQ(expected.size(), packet_bytes);
  // All but the tag, which the first byte's four free bits change.
  EXPECT_TRUE(std::equal(expected.begin(), expected.end() - wire::kTagBytes, packet.begin()));
  EXPECT_EQ(packet[0] & 0xf0, 0xf0);
}

TEST_F(AddressProofTest, CountsOnce) {
  const auto token = retry();
  const auto proven = proof.judge(token, from, ids.retry, kNow);
  EXPECT_EQ(proven.verdict, Verdict::kGood);
  EXPECT_EQ(proven.original, ids.original);
  EXPECT_EQ(take(token), Verdict::kGood) << "it had only been judged";
  EXPECT_EQ(take(token), Verdict::kSpent);
  EXPECT_EQ(take(token, kNow + 29s), Verdict::kSpent);
  EXPECT_EQ(take(retry()), Verdict::kGood) << "another one";
}

TEST_F(AddressProofTest, LastsThirtySeconds) {
  EXPECT_EQ(take(retry(), kNow + 30s), Verdict::kGood);
  EXPECT_EQ(take(retry(), kNow + 31s), Verdict::kFalse);
}

TEST_F(AddressProofTest, LastsAsLongWhenTheKeyChanges) {
  EXPECT_EQ(take(retry(kNow - 1s), kNow + 28s), Verdict::kGood);
  EXPECT_EQ(take(retry(kNow - 1s), kNow + 1h), Verdict::kFalse);
}

TEST_F(AddressProofTest, IsForOneAddressPortAndConnection) {
  const auto token = retry();
  const SocketAddress port{from.address, 50001};
  const SocketAddress address{IpAddress::v4(0xc0000202), from.port};
  EXPECT_EQ(proof.judge(token, port, ids.retry, kNow).verdict, Verdict::kFalse);
  EXPECT_EQ(proof.judge(token, address, ids.retry, kNow).verdict, Verdict::kFalse);
  EXPECT_EQ(proof.judge(token, from, id("another1"), kNow).verdict, Verdict::kFalse);
  EXPECT_EQ(take(token), Verdict::kGood) << "false ones spend nothing of it";
}

TEST_F(AddressProofTest, TakesNoBitThatIsAnother) {
  const auto token = retry();
  for (std::size_t bit = 0; bit < token.size() * 8; ++bit) {
    auto forged = token;
    forged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    ASSERT_EQ(take(forged), Verdict::kFalse) << bit;
  }
  for (std::size_t size = 0; size < token.size(); ++size) {
    ASSERT_EQ(take({token.begin(), token.begin() + static_cast<std::ptrdiff_t>(size)}),
              Verdict::kFalse);
  }
  EXPECT_EQ(take(token), Verdict::kGood);
}

TEST_F(AddressProofTest, ASecretIsAServers) {
  AddressProof other(ServerSecret{8});
  EXPECT_EQ(other.judge(retry(), from, ids.retry, kNow).verdict, Verdict::kFalse);
}

TEST_F(AddressProofTest, RemembersAsManyAsItSays) {
  const auto first = retry();
  EXPECT_EQ(take(first), Verdict::kGood);
  for (std::size_t i = 0; i < AddressProof::kMaxSpent / 8; ++i) take(retry());
  EXPECT_EQ(take(first), Verdict::kSpent);
}

TEST_F(AddressProofTest, WritesNothingWhereThereIsNoRoom) {
  EXPECT_EQ(proof.write(from, ids, random, kNow, MutableBytes(packet).first(100)), 0u);
}

}  // namespace
}  // namespace qdt::quic
