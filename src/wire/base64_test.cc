#include "wire/base64.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace qdt::wire {
namespace {

TEST(Base64, WritesTheExamplesOfRfc4648WithoutPadding) {
  EXPECT_EQ(encode_base64(as_bytes("")), "");
  EXPECT_EQ(encode_base64(as_bytes("f")), "Zg");
  EXPECT_EQ(encode_base64(as_bytes("fo")), "Zm8");
  EXPECT_EQ(encode_base64(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(encode_base64(as_bytes("foobar")), "Zm9vYmFy");
}

TEST(Base64, ReadsWithAndWithoutPadding) {
  for (const char* text : {"Zg", "Zg=="}) EXPECT_EQ(as_text(*decode_base64(text)), "f");
  for (const char* text : {"Zm8", "Zm8="}) EXPECT_EQ(as_text(*decode_base64(text)), "fo");
}

TEST(Base64, RefusesEverythingElse) {
  for (const char* text :
       {"Z", "Zg=", "Zg===", "Z===", "Zm9v=", "Zm 9v", "Zm9-", "Zh", "=", "Zg==Zg=="}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

TEST(Base64Url, HasLettersOfItsOwnAndNoPadding) {
  const std::array<std::uint8_t, 4> bytes = {0xfb, 0xff, 0xfe, 0x01};
  EXPECT_EQ(encode_base64url(bytes), "-__-AQ");
  EXPECT_EQ(encode_base64(bytes), "+//+AQ");
  EXPECT_TRUE(std::ranges::equal(*decode_base64url("-__-AQ"), bytes));
  for (const char* text : {"+//+AQ", "-__-AQ==", "-__-AR", "-", "-_ -"}) {
    EXPECT_FALSE(decode_base64url(text)) << text;
  }
}

}  // namespace
}  // namespace qdt::wire
