#include "ops/text.h"

#include <gtest/gtest.h>

namespace qdt::ops {
namespace {

TEST(Printable, LeavesReadableTextAlone) {
  EXPECT_EQ(printable("plain, \"quoted\", C:\\path"), "plain, \"quoted\", C:\\path");
  EXPECT_EQ(printable("Grüße, 世界, \xf0\x9f\x99\x82"), "Grüße, 世界, \xf0\x9f\x99\x82");
}

TEST(Printable, WritesControlCharactersOut) {
  EXPECT_EQ(printable("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(printable(std::string_view("\0\x1b[31m\x7f", 7)), "\\x00\\x1b[31m\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b"
            "31m");
}

TEST(Printable, WritesOutWhatIsNotUtf8) {
  EXPECT_EQ(printable("a\xff"
                      "b"),
            "a\\xffb");
  EXPECT_EQ(printable("\xc3"), "\\xc3");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(YamlQuoted, EscapesWhatQuotesNeed) {
  EXPECT_EQ(yaml_quoted("plain"), "\"plain\"");
  EXPECT_EQ(yaml_quoted("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\x01\"");
}

TEST(Wrapped, BreaksAtBlanks) {
  EXPECT_EQ(wrapped("one two three", "# ", 7), "# one two\n# three\n");
  EXPECT_EQ(wrapped("unbreakable word", "", 4), "unbreakable\nword\n");
  EXPECT_EQ(wrapped("", "# ", 7), "");
}

TEST(NearestWord, ForgivesSlips) {
  const std::vector<std::string> words = {"mtu", "token", "log_level", "metrics_addr"};
  EXPECT_EQ(nearest_word("mut", words), "mtu");
  EXPECT_EQ(nearest_word("tokn", words), "token");
  EXPECT_EQ(nearest_word("tokens", words), "token");
  EXPECT_EQ(nearest_word("LogLevel", words), "log_level");
  EXPECT_EQ(nearest_word("metric-addr", words), "metrics_addr");
}

TEST(NearestWord, DoesNotGuessWildly) {
  EXPECT_EQ(nearest_word("foo", {"mtu", "dns"}), "");
  EXPECT_EQ(nearest_word("", {"mtu"}), "");
  EXPECT_EQ(nearest_word(std::string(1000, 'a'), {"mtu"}), "");
}

}  // namespace
}  // namespace qdt::ops
