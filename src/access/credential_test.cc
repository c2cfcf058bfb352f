#include "access/credential.h"

#include <gtest/gtest.h>

#include <array>
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

TEST(Credential, IsAnotherOnceItIsAssigned) {
  Credential credential(kLong);
  credential = Credential("short");
  EXPECT_EQ(credential.token(), "short");
  EXPECT_EQ(std::exchange(credential, {}).token(), "short");
  EXPECT_EQ(credential.token(), "");
}

// A short token is within the string itself.
TEST(Credential, LeavesNoBytesOfIt) {
  alignas(Credential) std::array<std::uint8_t, sizeof(Credential)> memory{};
  const auto is_left = [&] {
    const std::string_view bytes(reinterpret_cast<const char*>(memory.data()), memory.size());
    return bytes.find("TOKEN") != std::string_view::npos;
  };
  auto* credential = new (memory.data()) Credential("QDTTOKEN");
  EXPECT_TRUE(is_left());
  *credential = Credential("Q");
  EXPECT_FALSE(is_left());
  *credential = Credential("QDTTOKEN");
  const Credential moved(std::move(*credential));
  EXPECT_FALSE(is_left());
  *credential = Credential("QDTTOKEN");
  std::destroy_at(credential);
  EXPECT_FALSE(is_left());
}

}  // namespace
}  // namespace qdt::access
