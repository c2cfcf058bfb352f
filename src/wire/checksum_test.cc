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

TEST(Checksum, IsThatOfOneByteAfterTheOther) {
  std::vector<std::uint8_t> bytes(300);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(~(i * i));
  for (std::size_t start = 0; start < 8; ++start) {  // however they lie in memory
    std::uint32_t sum = 0;
    for (std::size_t size = 0; start + size < bytes.size(); ++size) {
      const Bytes range = Bytes(bytes).subspan(start, size);
      ASSERT_EQ(Checksum().add(range).finish(), static_cast<std::uint16_t>(~sum)) << size;
      const std::uint32_t byte = bytes[start + size];
      sum += size % 2 == 0 ? byte << 8 : byte;
      sum = (sum & 0xffff) + (sum >> 16);
    }
  }
}

TEST(Checksum, LosesNoCarry) {
  const std::vector<std::uint8_t> bytes(65535, 0xff);
  EXPECT_EQ(Checksum().add(bytes).sum(), 0xff00);
}

}  // namespace
}  // namespace qdt::wire
