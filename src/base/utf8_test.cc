#include "base/utf8.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

TEST(FindInvalidUtf8, FindsTheFirstFault) {
  EXPECT_EQ(find_invalid_utf8("gut, größer, €, \xf4\x8f\xbf\xbf"), std::string_view::npos);
  EXPECT_EQ(find_invalid_utf8("ab\xe4r"), 2u);
  EXPECT_EQ(find_invalid_utf8("\xf4\x90\x80\x80"), 0u);
  EXPECT_EQ(find_invalid_utf8("\xe0\x80\x80"), 0u);
  EXPECT_EQ(find_invalid_utf8("a\xe2\x82"), 1u);
}

}  // namespace
}  // namespace qdt
