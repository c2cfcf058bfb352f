#include "access/credential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace qdt::access {
namespace {

const std::string kLong = "a token that is too long for a string to keep within itself";

TEST(Credential, IsTheTokenThatWasShown) {
  EXPECT_EQ(Credential().token(), "");
  EXPECT_EQ(Credential(kLong).token(), kLong);
}

TEST(Credential, LeavesNothingWhereItMovesFrom) {
  for (const std::string& token : {std::string("short"), kLong}) {
    Credential from(token);
    const Credential to(std::move(from));
    EXPECT_EQ(to.token(), token);
    EXPECT_EQ(from.token(),
              "");  // NOLINT(bugprone-use-after-move): that it is gone is the contract
  }
}

TEST(Credential, OverwritesAShortTokenInItsPlace) {
  alignas(Credential) std::array<std::uint8_t, sizeof(Credential)> memory{};
  auto* credential = new (memory.data()) Credential("QDTTOKEN");
  std::destroy_at(credential);
  const std::string_view left(reinterpret_cast<const char*>(memory.data()), memory.size());
  EXPECT_EQ(left.find("QDTTOK"), std::string_view::npos);
}

}  // namespace
}  // namespace qdt::access
