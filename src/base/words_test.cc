#include "base/words.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

TEST(Words, TellDurationsInTwoUnits) {
  EXPECT_EQ(in_words(-5s), "0 s");
  EXPECT_EQ(in_words(59s), "59 s");
  EXPECT_EQ(in_words(12min + 5s), "12 min 5 s");
  EXPECT_EQ(in_words(24h * 3 + 4h + 5min), "3 d 4 h");
}

TEST(Words, TellBytesInPowersOfAThousand) {
  EXPECT_EQ(bytes_in_words(0), "0 B");
  EXPECT_EQ(bytes_in_words(999), "999 B");
  EXPECT_EQ(bytes_in_words(1000), "1.0 kB");
  EXPECT_EQ(bytes_in_words(1'234'567), "1.2 MB");
  EXPECT_EQ(bytes_in_words(~std::uint64_t{0}), "18446744.1 TB");
}

TEST(Words, ListWords) {
  EXPECT_EQ(list_in_words({}), "");
  EXPECT_EQ(list_in_words({"dns"}), "dns");
  EXPECT_EQ(list_in_words({"token", "dns", "addr"}), "token, dns, addr");
}

}  // namespace
}  // namespace qdt
