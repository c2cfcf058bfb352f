// The tables of keys in docs/configuration.md are those of the programs.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "ops/config_example.h"

namespace qdt {
namespace {

std::string documented() {
  std::ifstream stream(QDT_SOURCE_DIR "/docs/configuration.md");
  return {std::istreambuf_iterator<char>(stream), {}};
}

// On a mismatch the message is the table to paste.
TEST(Configuration, ExplainsEveryServerKey) {
  const std::string table = ops::server_key_table();
  EXPECT_NE(documented().find(table), std::string::npos) << table;
}

TEST(Configuration, ExplainsEveryClientKey) {
  const std::string table = ops::client_key_table();
  EXPECT_NE(documented().find(table), std::string::npos) << table;
}

}  // namespace
}  // namespace qdt
