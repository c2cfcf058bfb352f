#include "wire/fragment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace qdt::wire {
namespace {

constexpr Timestamp kStart{};
using Plaintext = std::vector<std::uint8_t>;

Plaintext fragment(std::uint32_t id, std::uint32_t offset, std::uint32_t total,
                   std::string_view piece) {
  const auto header = encode_fragment_header({id, offset, total});
  Plaintext bytes(header.begin(), header.end());
  bytes.insert(bytes.end(), piece.begin(), piece.end());
  return bytes;
}

// "" when more is missing, "!" when dropped.
std::string add(Reassembler& reassembler, const Plaintext& plaintext, Timestamp now = kStart) {
  const auto result = reassembler.add(plaintext, now);
  if (!result) return "!";
  return *result ? std::string(as_text(**result)) : "";
}

TEST(Fragment, HeaderIsLaidOutAsDocumented) {
  const auto bytes = encode_fragment_header({0x01020304, 0x05060708, 0x090a0b0c});
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 12>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
}

TEST(Reassembler, JoinsPiecesInAnyOrder) {
  Reassembler reassembler(1000);
  EXPECT_EQ(add(reassembler, fragment(1, 3, 8, "def")), "");
  EXPECT_EQ(add(reassembler, fragment(1, 6, 8, "gh")), "");
  EXPECT_EQ(add(reassembler, fragment(1, 0, 8, "abc")), "abcdefgh");
  EXPECT_EQ(reassembler.half_built(), 0u);
}

TEST(Reassembler, KeepsInterleavedPacketsApart) {
  Reassembler reassembler(1000);
  EXPECT_EQ(add(reassembler, fragment(1, 0, 4, "ab")), "");
  EXPECT_EQ(add(reassembler, fragment(2, 0, 4, "AB")), "");
  EXPECT_EQ(add(reassembler, fragment(1, 2, 4, "cd")), "abcd");
  EXPECT_EQ(add(reassembler, fragment(2, 2, 4, "CD")), "ABCD");
}

TEST(Reassembler, TakesAWholePacketInOnePiece) {
  Reassembler reassembler(1000);
  EXPECT_EQ(add(reassembler, fragment(1, 0, 3, "abc")), "abc");
}

TEST(Reassembler, IgnoresAnExactRepeat) {
  Reassembler reassembler(1000);
  EXPECT_EQ(add(reassembler, fragment(1, 0, 4, "ab")), "");
  EXPECT_EQ(add(reassembler, fragment(1, 0, 4, "ab")), "");
  EXPECT_EQ(add(reassembler, fragment(1, 2, 4, "cd")), "abcd");
}

TEST(Reassembler, DropsThePacketOnAnOverlapThatIsNoRepeat) {
  for (const auto& second : {fragment(1, 1, 6, "xy"), fragment(1, 0, 6, "aXc"),
                             fragment(1, 0, 6, "ab"), fragment(1, 2, 6, "cd")}) {
    Reassembler reassembler(1000);
    EXPECT_EQ(add(reassembler, fragment(1, 0, 6, "abc")), "");
    EXPECT_EQ(add(reassembler, second), "!");
    EXPECT_EQ(reassembler.half_built(), 0u);
  }
}

TEST(Reassembler, DropsThePacketWhoseTotalsDisagree) {
  Reassembler reassembler(1000);
  EXPECT_EQ(add(reassembler, fragment(1, 0, 6, "abc")), "");
  EXPECT_EQ(add(reassembler, fragment(1, 3, 7, "def")), "!");
  EXPECT_EQ(reassembler.half_built(), 0u);
}

TEST(Reassembler, DropsFieldsThatContradictEachOther) {
  Reassembler reassembler(1000);
  EXPECT_EQ(add(reassembler, fragment(1, 0, 0, "")), "!");
  EXPECT_EQ(add(reassembler, fragment(1, 0, 4, "")), "!");
  EXPECT_EQ(add(reassembler, fragment(1, 0, 0, "a")), "!");
  EXPECT_EQ(add(reassembler, fragment(1, 3, 4, "ab")), "!");
  EXPECT_EQ(add(reassembler, fragment(1, 0xffffffff, 4, "a")), "!");
  EXPECT_EQ(add(reassembler, fragment(1, 0, 1001, "a")), "!");
  EXPECT_EQ(add(reassembler, Plaintext(11)), "!");
  EXPECT_EQ(reassembler.half_built(), 0u);
}

TEST(Reassembler, ForgetsHalfBuiltPacketsAfterFiveSeconds) {
  Reassembler reassembler(1000);
  EXPECT_EQ(add(reassembler, fragment(1, 0, 4, "ab")), "");
  EXPECT_EQ(reassembler.expire(kStart + 4999ms), 0u);
  EXPECT_EQ(reassembler.expire(kStart + 5000ms), 1u);
  EXPECT_EQ(reassembler.half_built(), 0u);
  EXPECT_EQ(add(reassembler, fragment(1, 2, 4, "cd")), "");
}

TEST(Reassembler, LetsTheOldestGiveWayWhenItsBytesAreUsedUp) {
  Reassembler reassembler(10);
  EXPECT_EQ(add(reassembler, fragment(1, 0, 4, "ab")), "");
  EXPECT_EQ(add(reassembler, fragment(2, 0, 4, "AB")), "");
  EXPECT_EQ(add(reassembler, fragment(3, 0, 4, "12")), "");  // 1 gives way
  EXPECT_EQ(reassembler.take_evicted(), 1u);
  EXPECT_EQ(reassembler.half_built(), 2u);
  EXPECT_EQ(add(reassembler, fragment(2, 2, 4, "CD")), "ABCD");
  EXPECT_EQ(add(reassembler, fragment(3, 2, 4, "34")), "1234");
}

TEST(Reassembler, BoundsTheNumberOfHalfBuiltPackets) {
  Reassembler reassembler(1'000'000);
  for (std::uint32_t id = 0; id < 1000; ++id) add(reassembler, fragment(id, 0, 100, "x"));
  EXPECT_EQ(reassembler.half_built(), Reassembler::kMaxPackets);
}

TEST(Reassembler, BoundsTheNumberOfPieces) {
  Reassembler reassembler(1'000'000);
  for (std::uint32_t i = 0; i < Reassembler::kMaxPieces; ++i) {
    EXPECT_EQ(add(reassembler, fragment(1, 2 * i, 1000, "x")), "");
  }
  EXPECT_EQ(add(reassembler, fragment(1, 999, 1000, "x")), "!");
}

TEST(Reassembler, SurvivesAnyOrderLossAndRepetition) {
  constexpr unsigned kSeed = 7;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  Reassembler reassembler(20'000);
  std::vector<Plaintext> in_flight;
  std::size_t complete = 0;
  for (std::uint32_t id = 0; id < 5000; ++id) {
    const std::uint32_t total = 1 + random() % 4000;
    std::string packet(total, '\0');
    for (std::uint32_t i = 0; i < total; ++i) packet[i] = static_cast<char>(id + i);
    for (std::uint32_t offset = 0; offset < total;) {
      const std::uint32_t bytes = std::min<std::uint32_t>(1 + random() % 1300, total - offset);
      if (random() % 20 != 0)
        in_flight.push_back(
            fragment(id, offset, total, std::string_view(packet).substr(offset, bytes)));
      if (random() % 30 == 0)
        in_flight.push_back(in_flight.empty() ? Plaintext{} : in_flight.back());
      offset += bytes;
    }
    while (in_flight.size() > 8) {
      const std::size_t pick = random() % in_flight.size();
      const auto result = reassembler.add(in_flight[pick], kStart);
      if (result && *result) {
        ++complete;
        const std::uint32_t got_id = load_be<std::uint32_t>(in_flight[pick].data());
        for (std::size_t i = 0; i < (*result)->size(); ++i) {
          ASSERT_EQ((**result)[i], static_cast<std::uint8_t>(got_id + i));
        }
      }
      in_flight.erase(in_flight.begin() + static_cast<std::ptrdiff_t>(pick));
    }
  }
  EXPECT_GT(complete, 3000u);
}

}  // namespace
}  // namespace qdt::wire
