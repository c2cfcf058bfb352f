#include "ops/yaml_tree.h"

#include <gtest/gtest.h>

namespace qdt::ops {
namespace {

using Kind = YamlNode::Kind;

std::string fault(std::string_view text) {
  const auto tree = parse_yaml(text);
  return tree ? "valid" : to_string(tree.error(), "f");
}

TEST(YamlTree, KeepsOrderPlacesAndRepeatedKeys) {
  const auto tree = parse_yaml("b: 1\na:   two\nb: 3\n");
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->members.size(), 3u);
  EXPECT_EQ(tree->members[0].key, "b");
  EXPECT_EQ(tree->members[1].value.text, "two");
  EXPECT_EQ(tree->members[1].value.position, (TextPosition{2, 6}));
  EXPECT_EQ(tree->members[2].key, "b");
  EXPECT_EQ(tree->members[2].position, (TextPosition{3, 1}));
}

TEST(YamlTree, TellsKindsApart) {
  const auto tree = parse_yaml("a: x\nb: [1, 2]\nc: {d: 1}\ne:\nf: ~\ng: \"\"\n");
  ASSERT_TRUE(tree);
  const Kind expected[] = {Kind::kScalar,  Kind::kList,    Kind::kMap,
                           Kind::kNothing, Kind::kNothing, Kind::kScalar};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(tree->members[i].value.kind, expected[i]) << i;
  EXPECT_EQ(tree->members[1].value.items[1].position, (TextPosition{2, 8}));
}

TEST(YamlTree, TakesAnEmptyDocument) {
  EXPECT_EQ(parse_yaml("")->kind, Kind::kNothing);
  EXPECT_EQ(parse_yaml("# only a comment\n")->kind, Kind::kNothing);
}

TEST(YamlTree, TakesByteOrderMarkAndWindowsLineEnds) {
  const auto tree = parse_yaml(
      "\xef\xbb\xbf"
      "a: 1\r\nb:  2\r\n");
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->members[0].key, "a");
  EXPECT_EQ(tree->members[0].position, (TextPosition{1, 1}));
  EXPECT_EQ(tree->members[1].value.text, "2");
  EXPECT_EQ(tree->members[1].value.position, (TextPosition{2, 5}));
}

TEST(YamlTree, FollowsAliases) {
  const auto tree = parse_yaml("a: &x {p: 1}\nb: *x\n");
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->members[1].value.members[0].value.text, "1");
}

TEST(YamlTree, RefusesAliasesWithoutEnd) {
  EXPECT_EQ(fault("a: &a [*a]\n"), "f:1:4: nested too deep for a configuration");
  std::string wide = "a: &a [";
  for (int i = 0; i < 500; ++i) wide += "*a, ";
  EXPECT_EQ(fault(wide + "1]\n"), "f:1:4: nested too deep for a configuration");
  std::string bomb = "a: &a [1";
  for (int i = 0; i < 500; ++i) bomb += ", 1";
  bomb += "]\nb: [*a";
  for (int i = 0; i < 500; ++i) bomb += ", *a";
  EXPECT_NE(fault(bomb + "]\n").find("too many values"), std::string::npos);
}

TEST(YamlTree, RefusesDepthWithoutEnd) {
  EXPECT_EQ(fault("a: [[[[1]]]]\n"), "f:1:7: nested too deep for a configuration");
  EXPECT_NE(fault(std::string(100'000, '[')), "valid");
}

TEST(YamlTree, SaysWhereTheSyntaxIsWrong) {
  EXPECT_EQ(fault("a: 1\nb: [1, 2\n"), "f:3:1: not valid YAML: a \"[\" above is never closed");
  EXPECT_EQ(fault("a: {b: 1\n"), "f:2:1: not valid YAML: a \"{\" above is never closed");
  EXPECT_EQ(fault("a: ]\n"),
            "f:1:4: not valid YAML: there is a \"]\" or \"}\" that was never opened");
  EXPECT_EQ(fault("a: @b\n"),
            "f:1:4: not valid YAML: a value cannot begin with this character; put it in quotes");
  EXPECT_EQ(fault("a: *b\n"), "f:1:4: not valid YAML: the referenced anchor is not defined");
  EXPECT_EQ(fault("a: b: c\n"),
            "f:1:5: not valid YAML: \"KEY: VALUE\" is not possible here; is the indentation right, "
            "and a value that contains \": \" in quotes?");
}

TEST(YamlTree, WritesControlCharactersOfTheFileOut) {
  EXPECT_EQ(fault("a: \"\\\x1b\"\n"), "f:1:7: not valid YAML: unknown escape character: \\x1b");
}

TEST(YamlTree, BlamesTabs) {
  EXPECT_EQ(fault("# c\n\ta: 1\n"),
            "f:2:1: not valid YAML: indented with a tab; YAML takes spaces only");
  EXPECT_EQ(fault("n:\n  \tb: 1\n"),
            "f:2:3: not valid YAML: indented with a tab; YAML takes spaces only");
}

TEST(YamlTree, RefusesWhatIsNoConfiguration) {
  EXPECT_EQ(fault("a: 1\n---\nb: 1\n"),
            "f:2:1: one YAML document is expected, and another begins here");
  EXPECT_EQ(fault(", a\n"), "f:1:1: one YAML document is expected, and another begins here");
  EXPECT_EQ(fault("? [1]\n: 2\n"), "f:1:3: a key has to be a word");
  EXPECT_EQ(fault("a: 1\nb: caf\xe9\n"), "f:2:7: not UTF-8 text");
  EXPECT_EQ(fault(std::string_view("a: \0\n", 5)), "f:1:4: not UTF-8 text");
  EXPECT_EQ(fault(std::string((1 << 20) + 1, '#')),
            "f: larger than 1 MiB: this is no configuration");
}

}  // namespace
}  // namespace qdt::ops
