#include <gtest/gtest.h>

#include <filesystem>

#include "os/file.h"

namespace qdt::os {
namespace {

class FilePermissions : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder); }
  const std::string folder = [] {
    std::string name = testing::TempDir() + "qdt-file-test-XXXXXX";
    return ::mkdtemp(name.data()) != nullptr ? name : std::string();
  }();
  const std::string path = folder + "/secret";
};

TEST_F(FilePermissions, AreTheOwnersAlone) {
  ASSERT_TRUE(create_private_file(path, "content"));
  const auto permissions = std::filesystem::status(path).permissions();
  EXPECT_EQ(permissions, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(FilePermissions, OfOthersAreNoticed) {
  ASSERT_TRUE(create_private_file(path, "x"));
  std::filesystem::permissions(path, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_TRUE(is_readable_by_others(path));
}

}  // namespace
}  // namespace qdt::os
