#include "os/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "os/system_random.h"

namespace qdt::os {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() { std::filesystem::create_directory(folder); }
  ~FileTest() override { std::filesystem::remove_all(folder); }
  // A folder of this process and test: tests run side by side.
  const std::string folder = testing::TempDir() + "qdt-file-test-" +
                             testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
                             std::to_string(SystemRandom().number());
  const std::string path = folder + "/secret";
};

TEST_F(FileTest, WritesForTheOwnerAlone) {
  ASSERT_TRUE(create_private_file(path, "content"));
  EXPECT_EQ(*read_file(path), "content");
  EXPECT_FALSE(is_readable_by_others(path));
  EXPECT_FALSE(is_writable_by_others(path));
}

TEST_F(FileTest, NeverOverwrites) {
  ASSERT_TRUE(create_private_file(path, "first"));
  EXPECT_FALSE(create_private_file(path, "second"));
  EXPECT_EQ(*read_file(path), "first");
}

TEST_F(FileTest, ReplacesWhatIsThere) {
  ASSERT_TRUE(replace_private_file(path, "first"));
  ASSERT_TRUE(replace_private_file(path, "second"));
  EXPECT_EQ(*read_file(path), "second");
  EXPECT_FALSE(is_readable_by_others(path));
  EXPECT_FALSE(file_exists(path + ".new"));
}

TEST_F(FileTest, RemovesWhetherItIsThereOrNot) {
  ASSERT_TRUE(create_private_file(path, "x"));
  EXPECT_TRUE(remove_file(path));
  EXPECT_FALSE(file_exists(path));
  EXPECT_TRUE(remove_file(path));
}

TEST_F(FileTest, NamesTheFileThatItCannotRead) {
  const auto content = read_file(path);
  ASSERT_FALSE(content);
  EXPECT_NE(content.error().message.find(path), std::string::npos);
  EXPECT_FALSE(file_exists(path));
}

TEST_F(FileTest, ReadsNoMoreThanItMay) {
  ASSERT_TRUE(create_private_file(path, "12345"));
  EXPECT_EQ(*read_file(path, 5), "12345");
  const auto content = read_file(path, 4);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().message, "read " + path + ": larger than 4 bytes");
}

TEST_F(FileTest, KeepsBytesAsTheyAre) {
  const std::string bytes = std::string("a\r\n\n\x1a\0b", 7);
  ASSERT_TRUE(create_private_file(path, bytes));
  EXPECT_EQ(*read_file(path), bytes);
}

TEST_F(FileTest, TakesNamesInAnyLanguage) {
  const std::string name = folder + "/J\xC3\xBCrgen \xE4\xBD\xA0\xE5\xA5\xBD.yaml";
  ASSERT_TRUE(create_private_file(name, "content"));
  EXPECT_EQ(*read_file(name), "content");
  EXPECT_TRUE(remove_file(name));
}

}  // namespace
}  // namespace qdt::os
