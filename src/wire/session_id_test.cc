#include "wire/session_id.h"

#include <gtest/gtest.h>

namespace qdt::wire {
namespace {

TEST(SessionId, IsSixteenDigitsAsText) {
  EXPECT_EQ(session_id_text(0), "0000000000000000");
  EXPECT_EQ(session_id_text(0x0123456789abcdef), "0123456789abcdef");
  EXPECT_EQ(parse_session_id("ffffffffffffffff"), ~SessionId{});
}

TEST(SessionId, IsNothingElse) {
  for (const char* text : {"", "1", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeg",
                           "-123456789abcdef", "0x23456789abcdef", " 123456789abcdef"}) {
    EXPECT_FALSE(parse_session_id(text)) << text;
  }
}

}  // namespace
}  // namespace qdt::wire
