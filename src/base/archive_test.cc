#include "base/archive.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

TEST(Archive, ReadsWhatItHasWritten) {
  MessageWriter writer(100);
  writer(std::uint16_t{0x0102});
  writer(true);
  std::string text = "ann";
  field(writer, text, 10);
  IpAddress address = IpAddress::v4(0x0a080002);
  field(writer, address);
  std::vector<std::string> words = {"a", "b"};
  list(writer, words, 2, [&](std::string& word) { field(writer, word, 1); });
  ASSERT_TRUE(writer.is_good());
  const auto bytes = writer.take();

  MessageReader reader(bytes);
  std::uint16_t number = 0;
  bool flag = false;
  std::string name;
  IpAddress found;
  std::vector<std::string> list_found;
  reader(number);
  reader(flag);
  field(reader, name, 10);
  field(reader, found);
  list(reader, list_found, 2, [&](std::string& word) { field(reader, word, 1); });
  EXPECT_TRUE(reader.is_at_end());
  EXPECT_EQ(number, 0x0102);
  EXPECT_TRUE(flag);
  EXPECT_EQ(name, "ann");
  EXPECT_EQ(found, address);
  EXPECT_EQ(list_found, words);
}

TEST(Archive, HasNumbersAndBytesInLists) {
  std::vector<std::uint64_t> numbers = {1, 1ull << 40};
  std::array<std::uint8_t, 3> bytes = {7, 8, 9};
  MessageWriter writer(100);
  list<std::uint8_t>(writer, numbers, 2);
  field(writer, bytes);
  const auto message = writer.take();
  EXPECT_EQ(message.size(), 1u + 2 * 8 + 3);

  MessageReader reader(message);
  std::vector<std::uint64_t> numbers_found;
  std::array<std::uint8_t, 3> bytes_found{};
  list<std::uint8_t>(reader, numbers_found, 2);
  field(reader, bytes_found);
  EXPECT_TRUE(reader.is_at_end());
  EXPECT_EQ(numbers_found, numbers);
  EXPECT_EQ(bytes_found, bytes);
}

TEST(Archive, KeepsToItsBounds) {
  MessageWriter small(2);
  small(std::uint32_t{1});
  EXPECT_FALSE(small.is_good());
  MessageWriter writer(100);
  std::string text = "too long";
  field(writer, text, 3);
  EXPECT_FALSE(writer.is_good());
}

TEST(Archive, RefusesWhatIsTooShortOrNoFlag) {
  MessageReader reader(as_bytes("\x07"));
  bool flag = false;
  reader(flag);
  EXPECT_FALSE(reader.is_good());
  MessageReader other(as_bytes("x"));
  std::uint32_t number = 9;
  other(number);
  EXPECT_FALSE(other.is_good());
  EXPECT_EQ(number, 0u);
}

}  // namespace
}  // namespace qdt
