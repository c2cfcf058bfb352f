#include "os/windows/command_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::os {
namespace {

using Words = std::vector<std::string>;

TEST(CommandWords, LeavesPlainWordsAlone) {
  EXPECT_EQ(to_command_line({"C:\\qdt\\up.exe", "a", "b\\"}), L"C:\\qdt\\up.exe a b\\");
}

TEST(CommandWords, QuotesWhatHasBlanks) {
  EXPECT_EQ(to_command_line({"p", "a b", ""}), L"p \"a b\" \"\"");
}

TEST(CommandWords, ComeBackAsTheyWere) {
  const Words words = {"C:\\Program Files\\qdt\\up.exe",
                       "",
                       "a  b",
                       "\"",
                       "\\\"",
                       "a\\\\\"b c\\\\",
                       "%PATH%",
                       "J\xC3\xBCrgen",
                       "tab\there"};
  EXPECT_EQ(to_words(to_command_line(words).c_str()), words);
}

}  // namespace
}  // namespace qdt::os
