#include "quic/small_initial.h"

#include <gtest/gtest.h>
#include <ngtcp2/ngtcp2.h>

#include <array>
#include <vector>

namespace qdt::quic {
namespace {

// RFC 9001 appendix A's.
constexpr std::array<std::uint8_t, 8> kTo = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};
constexpr std::array<std::uint8_t, 8> kFrom = {1, 2, 3, 4, 5, 6, 7, 8};

std::array<std::uint8_t, kSmallInitialBytes> question() {
  std::array<std::uint8_t, kSmallInitialBytes> out;
  write_small_initial(ConnectionId(kTo), ConnectionId(kFrom), 0x41, out);
  return out;
}

// Made by other code than ours (Python's cryptography).
TEST(SmallInitial, IsAProperPacketOfItsConnection) {
  constexpr std::array<std::uint8_t, kSmallInitialBytes> kExpected = {
      0xc2, 0x00, 0x00, 0x00, 0x01, 0x08, 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08, 0x08,
      0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x00, 0x40, 0x66, 0xb7, 0x07, 0x89, 0x01,
      0x9b, 0x33, 0x8c, 0x8f, 0x88, 0x9e, 0x9a, 0xc1, 0x2c, 0x82, 0x0e, 0x24, 0x98, 0x82, 0x5b,
      0x34, 0xf7, 0x8f, 0x04, 0xeb, 0x4b, 0x01, 0x47, 0xb9, 0xcb, 0x84, 0x3e, 0x05, 0x9d, 0x30,
      0xca, 0xa1, 0xd8, 0xa2, 0x87, 0x5d, 0x70, 0x57, 0xd1, 0xcc, 0xc0, 0x04, 0x6d, 0x95, 0x22,
      0x64, 0x2e, 0x23, 0xa0, 0x05, 0x46, 0xfd, 0xe2, 0xf1, 0x29, 0x31, 0xf9, 0x4c, 0x63, 0xc0,
      0xb1, 0x46, 0xc1, 0xac, 0xb2, 0x75, 0xa3, 0x38, 0x78, 0x5a, 0x34, 0x15, 0x43, 0x2c, 0x1d,
      0xe2, 0x01, 0xf4, 0x9a, 0x58, 0x42, 0xb4, 0xea, 0x85, 0x47, 0x2d, 0x5d, 0x48, 0x09, 0x72,
      0xc9, 0x8c, 0xec, 0x3f, 0x41, 0x52, 0xfb, 0xf1};
  EXPECT_EQ(question(), kExpected);
}

TEST(SmallInitial, IsAnsweredInFewerBytes) {
  std::array<std::uint8_t, 1472> out;
  const std::size_t bytes = write_small_answer(question(), out);
  ASSERT_GT(bytes, 0u);
  EXPECT_LT(bytes, kSmallInitialBytes);
  const Bytes answer = Bytes(out).first(bytes);
  EXPECT_TRUE(is_small_answer(answer, ConnectionId(kTo)));
  EXPECT_FALSE(is_small_answer(answer, ConnectionId(kFrom)));
}

TEST(SmallInitial, IsNeverAnsweredWithAsMuch) {
  std::array<std::uint8_t, 1472> out;
  const auto whole = question();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::size_t bytes = write_small_answer(Bytes(whole).first(size), out);
    EXPECT_TRUE(bytes == 0 || bytes < size);
  }
  std::vector<std::uint8_t> large(whole.begin(), whole.end());
  large.resize(kLeastInitialBytes);
  EXPECT_EQ(write_small_answer(large, out), 0u) << "that one may open a connection";
}

TEST(SmallInitial, IsNotAnsweredWhereItIsNotAuthentic) {
  std::array<std::uint8_t, 1472> out;
  const auto whole = question();
  ASSERT_GT(write_small_answer(whole, out), 0u);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto forged = whole;
    forged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    ASSERT_EQ(write_small_answer(forged, out), 0u) << bit;
  }
}

TEST(SmallInitial, IsAnsweredWhateverComesBehindItsPacket) {
  std::array<std::uint8_t, 1472> out;
  const auto whole = question();
  std::vector<std::uint8_t> padded(whole.begin(), whole.end());
  padded.resize(1100);
  EXPECT_GT(write_small_answer(padded, out), 0u);
}

TEST(SmallInitial, TakesNothingElseForItsAnswer) {
  std::array<std::uint8_t, 1472> out{};
  const std::size_t bytes = write_small_answer(question(), out);
  const Bytes answer = Bytes(out).first(bytes);
  for (std::size_t size = 0; size < 20; ++size) {
    EXPECT_FALSE(is_small_answer(answer.first(size), ConnectionId(kTo)));
  }
  EXPECT_FALSE(is_small_answer(Bytes(out).first(kLeastInitialBytes), ConnectionId(kTo)));
  out[0] = 0x40;
  EXPECT_FALSE(is_small_answer(answer, ConnectionId(kTo)));
}

}  // namespace
}  // namespace qdt::quic
