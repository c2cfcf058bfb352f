#include "wire/base64.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace qdt::wire
