#include "control/request_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace qdt::control {
namespace {

using ::testing::HasSubstr;

TEST(RequestBody, ReadsPlainValues) {
  const auto body = RequestBody::parse(R"({"a":"x","b":7,"c":null,"d":"none","e":true})",
                                       {"a", "b", "c", "d", "e", "f"});
  ASSERT_TRUE(body);
  EXPECT_EQ(*body->text("a"), "x");
  EXPECT_EQ(*body->text("b"), "7");
  EXPECT_TRUE(body->has_number("b"));
  EXPECT_EQ(*body->text("c"), std::nullopt);
  EXPECT_EQ(*body->text("d"), std::nullopt);
  EXPECT_EQ(*body->text("f"), std::nullopt);
  EXPECT_TRUE(*body->flag("e"));
  EXPECT_FALSE(*body->flag("f"));
}

TEST(RequestBody, NamesTheKeyOfAnotherKindOfValue) {
  const auto body =
      RequestBody::parse(R"({"a":[1],"b":1.5,"c":true,"d":"true"})", {"a", "b", "c", "d"});
  ASSERT_TRUE(body);
  for (const char* const key : {"a", "b", "c"}) {
    EXPECT_EQ(body->text(key).error().message,
              std::string(key) + ": expected a text, a whole number or null");
  }
  EXPECT_EQ(body->flag("d").error().message, "d: expected true or false");
  EXPECT_EQ(body->name("e").error().message, "e is missing");
}

TEST(RequestBody, ShowsValuesAsTheyAreWritten) {
  const auto body =
      RequestBody::parse(R"({"a":"x\"\n","b":18446744073709551615,"c":null,"d":false,"e":{"f":1}})",
                         {"a", "b", "c", "d", "e"});
  ASSERT_TRUE(body);
  EXPECT_EQ(body->as_json("a"), R"("x\"\n")");
  EXPECT_EQ(body->as_json("b"), "18446744073709551615");
  EXPECT_EQ(body->as_json("c"), "null");
  EXPECT_EQ(body->as_json("d"), "false");
  EXPECT_EQ(body->as_json("e"), "");
}

TEST(RequestBody, TakesNothingButAnObjectOfKnownKeys) {
  EXPECT_TRUE(RequestBody::parse("", {})->is_empty());
  for (const char* const other : {"[]", "null", "{", "{}x", "\"\xff\"", "{\"a\":\"\xff\"}"}) {
    EXPECT_FALSE(RequestBody::parse(other, {"a"})) << other;
  }
  EXPECT_THAT(RequestBody::parse(R"({"b":1})", {"a"}).error().message, HasSubstr("\"b\" is not"));
  EXPECT_TRUE(RequestBody::parse("{}" + std::string((16 << 10) - 2, ' '), {}));
  EXPECT_FALSE(RequestBody::parse("{}" + std::string((16 << 10) - 1, ' '), {}));
}

// A body within the bound can be that deep.
TEST(RequestBody, TakesListsWithinLists) {
  const std::string deep = std::string(8'000, '[') + std::string(8'000, ']');
  const auto body = RequestBody::parse("{\"a\":" + deep + "}", {"a"});
  ASSERT_TRUE(body);
  EXPECT_FALSE(body->text("a"));
}

}  // namespace
}  // namespace qdt::control
