#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

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

TEST_F(FilePermissions, OfASecretAreItsOwnersAlone) {
  ASSERT_TRUE(create_private_file(path, "x"));
  const auto error_with = [&](unsigned mode) {
    std::filesystem::permissions(path, std::filesystem::perms(mode));
    const auto ok = check_secret(path, "the token");
    return ok ? "" : ok.error().message;
  };
  EXPECT_EQ(error_with(0600), "");
  EXPECT_EQ(error_with(0400), "");
  const std::string begin = path + ": holds the token, and others may ";
  EXPECT_EQ(error_with(0640), begin + "read it; chmod 600 " + path);
  EXPECT_EQ(error_with(0604), begin + "read it; chmod 600 " + path);
  EXPECT_EQ(error_with(0620), begin + "write it; chmod 600 " + path);
}

TEST_F(FilePermissions, OfASecretThatBelongsToSomebodyElse) {
  ASSERT_TRUE(create_private_file(path, "x"));
  ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0) << "run the tests as root";
  const auto ok = check_secret(path, "the token");
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().message, path +
                                    ": holds the token, and belongs to user ID 12345; chown root " +
                                    path + "; chmod 600 " + path);
}

TEST_F(FilePermissions, OfASecretThatBelongsToTheConfiguredUser) {
  ASSERT_TRUE(create_private_file(path, "x"));
  const passwd* const other = ::getpwnam("daemon");  // NOLINT(concurrency-mt-unsafe)
  ASSERT_NE(other, nullptr);
  ASSERT_EQ(::chown(path.c_str(), other->pw_uid, 0), 0) << "run the tests as root";
  EXPECT_FALSE(check_secret(path, "the key"));
  EXPECT_TRUE(check_secret(path, "the key", "daemon"));
  std::filesystem::permissions(path, std::filesystem::perms(0620));
  EXPECT_FALSE(check_secret(path, "the key", "daemon"));
}

TEST_F(FilePermissions, ADirectoryIsNoFile) {
  const auto content = read_file(folder);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().message, "read " + folder + ": Is a directory");
}

TEST_F(FilePermissions, AnEndlessDeviceIsReadToTheLimit) {
  EXPECT_EQ(*read_file("/dev/null"), "");
  const auto content = read_file("/dev/zero", 100000);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().message, "read /dev/zero: larger than 100000 bytes");
}

TEST_F(FilePermissions, APipeIsReadToItsEnd) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(path) << "content"; });
  EXPECT_EQ(*read_file(path), "content");
  writer.join();
}

}  // namespace
}  // namespace qdt::os
