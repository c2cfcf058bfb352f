#include "wire/json_end.h"

#include <gtest/gtest.h>

#include <string>

namespace qdt::wire {
namespace {

bool has_come(std::string_view body) {
  return JsonEnd().has_come(body);
}

TEST(JsonEnd, ComesWithTheLastBrace) {
  constexpr std::string_view kBody = R"( {"a":[{"b":"}\"]\\"},2],"c":{}} )";
  const std::size_t end = kBody.rfind('}');
  JsonEnd in_pieces;
  for (std::size_t length = 0; length <= end; ++length) {
    EXPECT_FALSE(in_pieces.has_come(kBody.substr(0, length))) << length;
    EXPECT_FALSE(has_come(kBody.substr(0, length))) << length;
  }
  EXPECT_TRUE(in_pieces.has_come(kBody));
  EXPECT_TRUE(has_come(kBody));
}

TEST(JsonEnd, DoesNotWaitForWhatIsNoObject) {
  for (const char* body : {"1", "\"text", "[", "}", "]", "null", "<!doctype html>"}) {
    EXPECT_TRUE(has_come(body)) << body;
  }
  EXPECT_FALSE(has_come(" \r\n\t"));
}

TEST(JsonEnd, LeavesUnsoundOnesToTheParser) {
  EXPECT_TRUE(has_come("{]"));
  EXPECT_FALSE(has_come("{{]"));
}

// In pieces of a byte each: a look at all of it for each would take half an hour.
TEST(JsonEnd, LooksAtEachByteOnce) {
  const std::string body = "{" + std::string(1 << 21, '[');
  JsonEnd end;
  for (std::size_t length = 0; length <= body.size(); ++length) {
    ASSERT_FALSE(end.has_come(std::string_view(body).substr(0, length)));
  }
}

}  // namespace
}  // namespace qdt::wire
