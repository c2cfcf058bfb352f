#include "wire/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "wire/sum_words.h"
#include "wire/sum_words_loop.h"

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

TEST(Checksum, CopiesWhatItAdds) {
  std::vector<std::uint8_t> bytes(200);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes range = Bytes(bytes).first(size);
    std::vector<std::uint8_t> copy(size + 1, 0xee);
    ASSERT_EQ(Checksum().add_copying(range, copy).sum(), Checksum().add(range).sum()) << size;
    ASSERT_TRUE(std::ranges::equal(range, Bytes(copy).first(size))) << size;
    ASSERT_EQ(copy.back(), 0xee) << size;
  }
}

// The loop made for this processor, and the portable one.
TEST(Checksum, IsTheSameOnEveryProcessor) {
  std::vector<std::uint8_t> bytes(4 * 100 + 3, 0xf1);
  std::vector<std::uint8_t> copy(bytes.size());
  for (std::size_t words = 0; words <= 100; ++words) {
    const std::uint64_t sum = sum_words_loop(&bytes[words % 4], words);
    ASSERT_EQ(sum_words(&bytes[words % 4], words), sum) << words;
    ASSERT_EQ(copy_and_sum_words(copy.data(), &bytes[words % 4], words), sum) << words;
    ASSERT_EQ(copy_and_sum_words_loop(copy.data(), &bytes[words % 4], words), sum) << words;
  }
}

TEST(Checksum, LosesNoCarry) {
  const std::vector<std::uint8_t> bytes(65535, 0xff);
  EXPECT_EQ(Checksum().add(bytes).sum(), 0xff00);
}

}  // namespace
}  // namespace qdt::wire
