// The README's tables of keys are those of the programs.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "ops/config_example.h"

namespace qdt {
namespace {

std::string readme() {
  std::ifstream stream(QDT_SOURCE_DIR "/README.md");
  return {std::istreambuf_iterator<char>(stream), {}};
}

// On a mismatch the message is the table to paste.
TEST(Readme, ExplainsEveryServerKey) {
  const std::string table = ops::server_key_table();
  EXPECT_NE(readme().find(table), std::string::npos) << table;
}

TEST(Readme, ExplainsEveryClientKey) {
  const std::string table = ops::client_key_table();
  EXPECT_NE(readme().find(table), std::string::npos) << table;
}

}  // namespace
}  // namespace qdt
