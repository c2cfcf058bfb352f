#include "wire/varint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace qdt::wire {
namespace {

TEST(Varint, ReadsTheExamplesOfRfc9000) {
  const std::pair<std::vector<std::uint8_t>, std::uint64_t> cases[] = {
      {{0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c}, 151288809941952652},
      {{0x9d, 0x7f, 0x3e, 0x7d}, 494878333},
      {{0x7b, 0xbd}, 15293},
      {{0x25}, 37},
      {{0x40, 0x25}, 37},
  };
  for (const auto& [bytes, value] : cases) {
    const auto varint = parse_varint(bytes);
    ASSERT_TRUE(varint);
    EXPECT_EQ(varint->value, value);
    EXPECT_EQ(varint->bytes, bytes.size());
  }
}

TEST(Varint, WritesTheShortestForm) {
  for (const std::uint64_t value : std::initializer_list<std::uint64_t>{
           0, 63, 64, 16383, 16384, (1 << 30) - 1, 1 << 30, kMaxVarint}) {
    std::array<std::uint8_t, kMaxVarintBytes> bytes;
    const std::size_t length = write_varint(bytes, value);
    EXPECT_EQ(length, varint_bytes(value));
    EXPECT_EQ(parse_varint(Bytes(bytes).first(length))->value, value);
    std::vector<std::uint8_t> behind = {0xaa};
    append_varint(behind, value);
    EXPECT_EQ(behind[0], 0xaa);
    EXPECT_TRUE(std::ranges::equal(Bytes(behind).subspan(1), Bytes(bytes).first(length)));
  }
}

TEST(Varint, RefusesTruncatedInput) {
  const std::array<std::uint8_t, 7> bytes = {0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8};
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(parse_varint(Bytes(bytes).first(length)));
  }
}

}  // namespace
}  // namespace qdt::wire
