#include "wire/checksum.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace qdt::wire {
namespace {

TEST(Checksum, MatchesTheExampleOfRfc1071) {
  const std::array<std::uint8_t, 8> bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(Checksum().add(bytes).finish(), static_cast<std::uint16_t>(~0xddf2));
}

TEST(Checksum, PadsAnOddByteAtTheEnd) {
  const std::array<std::uint8_t, 3> bytes = {0x12, 0x34, 0x56};
  EXPECT_EQ(Checksum().add(bytes).finish(), static_cast<std::uint16_t>(~(0x1234 + 0x5600)));
}

TEST(Checksum, IsTheSameInPieces) {
  std::vector<std::uint8_t> bytes(1399);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  const std::uint16_t whole = Checksum().add(bytes).finish();
  for (std::size_t cut = 0; cut < bytes.size(); cut += 2) {
    const Bytes all(bytes);
    ASSERT_EQ(Checksum().add(all.first(cut)).add(all.subspan(cut)).finish(), whole) << cut;
  }
}

}  // namespace
}  // namespace qdt::wire
