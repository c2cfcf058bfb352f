#include "os/kept_file.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "os/file.h"
#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

class KeptFileTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder); }
  const std::string folder = [] {
    std::string name = testing::TempDir() + "qdt-kept-test-XXXXXX";
    return ::mkdtemp(name.data()) != nullptr ? name : std::string();
  }();
  const std::string path = folder + "/kept";
};

TEST_F(KeptFileTest, IsMadeForItsOwnerAlone) {
  ASSERT_TRUE(KeptFile::open(path));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(KeptFileTest, HasTheLastContentAlone) {
  auto file = KeptFile::open(path);
  ASSERT_TRUE(file);
  for (const std::string content : {"one", "a longer content", "2", ""}) {
    ASSERT_TRUE(file->replace(content));
    EXPECT_EQ(read_file(path), content);
    EXPECT_EQ(file->read(), content);
  }
}

TEST_F(KeptFileTest, IsWrittenWhereItsFolderCannotBe) {
  auto file = KeptFile::open(path);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->replace("before"));
  ::chmod(folder.c_str(), 0);
  if (::getuid() == 0) {
    ASSERT_EQ(::seteuid(65521), 0);
  }
  EXPECT_TRUE(file->replace("after"));
  ASSERT_EQ(::seteuid(::getuid()), 0);
  ::chmod(folder.c_str(), 0700);
  EXPECT_EQ(read_file(path), "after");
}

TEST_F(KeptFileTest, OfSomebodyElseIsNotBelieved) {
  std::ofstream(path) << "forged";
  ::chmod(path.c_str(), 0666);
  const auto file = KeptFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->read(), "");
}

TEST_F(KeptFileTest, SaysThatItWasRemoved) {
  auto file = KeptFile::open(path);
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->was_removed());
  std::filesystem::remove(path);
  EXPECT_TRUE(file->was_removed());
}

TEST(KeptFileOnADisk, IsAsItWasWhenThatIsFull) {
  in_fresh_network([] {  // and with a /run of its own
    std::filesystem::create_directory("/run/full");
    ASSERT_EQ(::mount("none", "/run/full", "tmpfs", 0, "size=16k"), 0) << std::strerror(errno);
    auto file = KeptFile::open("/run/full/kept");
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->replace("before"));
    EXPECT_FALSE(file->replace(std::string(12'000, 'x')));
    EXPECT_EQ(read_file("/run/full/kept"), "before");
  });
}

}  // namespace
}  // namespace qdt::os
