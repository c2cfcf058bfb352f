#include "os/file.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace qdt::os {
namespace {

class FileTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder); }
  const std::string folder = [] {
    std::string name = testing::TempDir() + "qdt-file-test-XXXXXX";
    return ::mkdtemp(name.data()) != nullptr ? name : std::string();
  }();
  const std::string path = folder + "/secret";
};

TEST_F(FileTest, WritesForTheOwnerAlone) {
  ASSERT_TRUE(create_private_file(path, "content"));
  EXPECT_EQ(*read_file(path), "content");
  const auto permissions = std::filesystem::status(path).permissions();
  EXPECT_EQ(permissions, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(is_readable_by_others(path));
}

TEST_F(FileTest, NeverOverwrites) {
  ASSERT_TRUE(create_private_file(path, "first"));
  EXPECT_FALSE(create_private_file(path, "second"));
  EXPECT_EQ(*read_file(path), "first");
}

TEST_F(FileTest, NamesTheFileThatItCannotRead) {
  const auto content = read_file(path);
  ASSERT_FALSE(content);
  EXPECT_NE(content.error().message.find(path), std::string::npos);
  EXPECT_FALSE(file_exists(path));
}

TEST_F(FileTest, NoticesAFileThatOthersCanRead) {
  ASSERT_TRUE(create_private_file(path, "x"));
  std::filesystem::permissions(path, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_TRUE(is_readable_by_others(path));
}

}  // namespace
}  // namespace qdt::os
