#include "wire/structured_field.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace qdt::wire {
namespace {

using namespace std::string_literals;

FieldItem of(FieldType type, std::int64_t number, std::string text = {}) {
  return {.type = type, .number = number, .text = std::move(text)};
}

TEST(FieldItem, ReadsEveryType) {
  const std::pair<std::string, FieldItem> cases[] = {
      {"42", of(FieldType::kInteger, 42)},
      {"-0", of(FieldType::kInteger, 0)},
      {"-999999999999999", of(FieldType::kInteger, -999'999'999'999'999)},
      {"007", of(FieldType::kInteger, 7)},
      {"4.5", of(FieldType::kDecimal, 4500)},
      {"-123456789012.125", of(FieldType::kDecimal, -123'456'789'012'125)},
      {R"("a \"b\" \\")", of(FieldType::kString, 0, R"(a "b" \)")},
      {R"("")", of(FieldType::kString, 0)},
      {"aes-256/gcm:*", of(FieldType::kToken, 0, "aes-256/gcm:*")},
      {"*A1", of(FieldType::kToken, 0, "*A1")},
      {":AP8=:", of(FieldType::kBytes, 0, "\0\xff"s)},
      {":AP8:", of(FieldType::kBytes, 0, "\0\xff"s)},
      {"::", of(FieldType::kBytes, 0)},
      {"?1", of(FieldType::kBoolean, 1)},
      {"?0", of(FieldType::kBoolean, 0)},
      {"@1659578233", of(FieldType::kDate, 1659578233)},
      {R"(%"f%c3%bc %25")", of(FieldType::kDisplayString, 0, "f\xc3\xbc %")},
      {"  ?1  ", of(FieldType::kBoolean, 1)},
      {"?1;a;b=2; c=:AA==:;d=\"x;y\"", of(FieldType::kBoolean, 1)},
  };
  for (const auto& [text, item] : cases) EXPECT_EQ(parse_field_item(text), item) << text;
}

TEST(FieldItem, RefusesWhatHasNoForm) {
  const std::vector<std::string> cases = {"",
                                          " ",
                                          "?",
                                          "?2",
                                          "?1 ?1",
                                          "?1,",
                                          "?true",
                                          "1 000",
                                          "-",
                                          "--1",
                                          "+1",
                                          "1234567890123456",
                                          "1.",
                                          ".5",
                                          "1.2345",
                                          "1234567890123.1",
                                          "1.2.3",
                                          "1e5",
                                          "\"",
                                          "\"a",
                                          "\"\\a\"",
                                          "\"\\",
                                          "\"\t\"",
                                          "\"\x7f\"",
                                          "\"\xc3\xbc\"",
                                          "\"a\"b",
                                          ":",
                                          ":AA",
                                          ":A:",
                                          ":AB==:",
                                          ":A A=:",
                                          ":AA-_:",
                                          ":AA==",
                                          "(1)",
                                          "@",
                                          "@1.5",
                                          "@x",
                                          "%",
                                          "%\"",
                                          "%\"%",
                                          "%\"%C3%BC\"",
                                          "%\"%ff\"",
                                          "%\"%c0%80\"",
                                          "%\"%ed%a0%80\"",
                                          "%\"%f4%90%80%80\"",
                                          "%\"%e2%82\"",
                                          "%\"\xc3\xbc\"",
                                          "a b",
                                          "a;",
                                          "a;B",
                                          "a;b=",
                                          "a;b=(1)",
                                          "a; ;b",
                                          "\0"s,
                                          "{}",
                                          "ä",
                                          "1\0"s};
  for (const std::string& text : cases) EXPECT_FALSE(parse_field_item(text)) << text;
}

TEST(FieldDictionary, ReadsItemsListsAndFlags) {
  const auto dictionary = parse_field_dictionary(
      "v=2, caps=(ping close;q=1  resume);x, direct=(:AAECAwQFBgc=:)\t,flag;p ,*k_-.=\"t\" ");
  ASSERT_TRUE(dictionary);
  ASSERT_EQ(dictionary->members.size(), 5u);
  EXPECT_EQ(dictionary->find("v")->items[0], FieldItem::of_integer(2));
  const FieldMember& caps = *dictionary->find("caps");
  EXPECT_TRUE(caps.is_list);
  EXPECT_EQ(caps.items, (std::vector{FieldItem::of_token("ping"), FieldItem::of_token("close"),
                                     FieldItem::of_token("resume")}));
  EXPECT_EQ(dictionary->find("direct")->items[0].text, "\0\1\2\3\4\5\6\7"s);
  EXPECT_EQ(dictionary->find("flag")->items[0], FieldItem::of_boolean(true));
  EXPECT_EQ(dictionary->find("*k_-.")->items[0], FieldItem::of_string("t"));
  EXPECT_EQ(dictionary->find("p"), nullptr);
}

TEST(FieldDictionary, MayBeEmpty) {
  for (const std::string text : {"", "   "}) {
    ASSERT_TRUE(parse_field_dictionary(text));
    EXPECT_TRUE(parse_field_dictionary(text)->members.empty());
  }
  EXPECT_TRUE(parse_field_dictionary("a=()")->find("a")->items.empty());
}

TEST(FieldDictionary, RefusesWhatHasNoForm) {
  const std::vector<std::string> cases = {
      ",",     "a=1,",    "a=1, ",    ",a=1",    "a=1,,b=2",       "a=1 b=2",   "a =1",
      "a= 1",  "A=1",     "1=1",      "a=",      "a=,b=1",         "a=(",       "a=(1",
      "a=(1 ", "a=(1,2)", "a=(1\t2)", "a=((1))", "a=(\"x\"\"y\")", "a=)",       "a=1;",
      "a;=1",  "-a=1",    "\ta=1",    "a=1\r\n", "a=1, b=\"",      "a=1, b=:AA"};
  for (const std::string& text : cases) EXPECT_FALSE(parse_field_dictionary(text)) << text;
}

TEST(FieldDictionary, RefusesAKeyThatComesTwice) {
  EXPECT_FALSE(parse_field_dictionary("a=1, b=2, a=1"));
  EXPECT_TRUE(parse_field_dictionary("a=1;a=2;a=3, b=2"));
}

TEST(FieldDictionary, RefusesAFieldCutAnywhereInAMember) {
  const std::string text = R"(a=("x" :AA==:), b=%"%c3%bc", c=?1)";
  // Whole members, and a key alone, are a dictionary too.
  const std::set<std::string> whole = {"",
                                       "a",
                                       R"(a=("x" :AA==:))",
                                       R"(a=("x" :AA==:), b)",
                                       R"(a=("x" :AA==:), b=%"%c3%bc")",
                                       R"(a=("x" :AA==:), b=%"%c3%bc", c)",
                                       text};
  for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
    const std::string cut = text.substr(0, bytes);
    EXPECT_EQ(parse_field_dictionary(cut).has_value(), whole.contains(cut)) << cut;
  }
}

TEST(FieldDictionary, IsBounded) {
  const auto members = [](std::size_t count) {
    std::string text = "k";
    for (std::size_t i = 1; i < count; ++i) text += ",k" + std::to_string(i);
    return text;
  };
  const auto list = [](std::size_t count) {
    std::string text = "k=(";
    for (std::size_t i = 0; i < count; ++i) text += "1 ";
    return text + ")";
  };
  EXPECT_TRUE(parse_field_dictionary(members(kMaxFieldParts)));
  EXPECT_FALSE(parse_field_dictionary(members(kMaxFieldParts + 1)));
  EXPECT_TRUE(parse_field_dictionary(list(kMaxFieldParts - 1)));
  EXPECT_FALSE(parse_field_dictionary(list(kMaxFieldParts)));
  EXPECT_TRUE(parse_field_dictionary("k=\"" + std::string(kMaxFieldBytes - 4, 'x') + "\""));
  EXPECT_FALSE(parse_field_dictionary("k=\"" + std::string(kMaxFieldBytes - 3, 'x') + "\""));
}

TEST(FieldDictionary, IsWrittenInItsOneForm) {
  const FieldDictionary dictionary{
      {{"v", false, {FieldItem::of_integer(-2)}},
       {"caps", true, {FieldItem::of_token("ping"), FieldItem::of_token("close")}},
       {"none", true, {}},
       {"id", false, {FieldItem::of_bytes(std::vector<std::uint8_t>{0, 255})}},
       {"on", false, {FieldItem::of_boolean(true)}},
       {"off", false, {FieldItem::of_boolean(false)}},
       {"name", false, {FieldItem::of_string(R"(a "b" \)")}}}};
  const std::string text = write_field_dictionary(dictionary);
  EXPECT_EQ(text, R"(v=-2, caps=(ping close), none=(), id=:AP8=:, on, off=?0, name="a \"b\" \\")");
  EXPECT_EQ(parse_field_dictionary(text), dictionary);
}

}  // namespace
}  // namespace qdt::wire
