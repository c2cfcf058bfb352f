#include "os/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace qdt::os {
namespace {

using testing::Contains;
using testing::HasSubstr;

class FolderTest : public testing::Test {
 protected:
  FolderTest()
      : scratch_(std::filesystem::path(testing::TempDir()) /
                 ("qdt-folder-" + std::to_string(std::random_device()()))) {
    std::filesystem::create_directory(scratch_);
  }
  ~FolderTest() override { std::filesystem::remove_all(scratch_); }

  void write(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = at(name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
  void link(const std::string& target, const std::string& name) const {
    std::filesystem::create_symlink(target, at(name));
  }
  std::string at(const std::string& name) const { return (scratch_ / "root" / name).string(); }
  Result<FolderContent> read(const FolderLimits& limits = {}) const {
    return read_folder((scratch_ / "root").string(), limits);
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    const auto content = read();
    for (const FolderFile& file : content->files) paths.push_back(file.path);
    return paths;
  }
  const std::filesystem::path scratch_;
};

TEST_F(FolderTest, ReadsFilesAndFolders) {
  write("index.html", "start");
  write("a/b/c.txt", "deep");
  write(".well-known/x", "known");
  const auto content = read();
  ASSERT_TRUE(content);
  EXPECT_EQ(paths(), (std::vector<std::string>{".well-known/x", "a/b/c.txt", "index.html"}));
  EXPECT_EQ(content->files[1].content, "deep");
  EXPECT_GT(content->files[1].modified, 1'600'000'000);
}

TEST_F(FolderTest, LeavesOutHiddenFilesWithoutAWord) {
  write("a.txt", "");
  write(".git/config", "secret");
  write(".htpasswd", "secret");
  EXPECT_EQ(paths(), std::vector<std::string>{"a.txt"});
  EXPECT_TRUE(read()->notes.empty());
}

TEST_F(FolderTest, FollowsALinkInsideAndNoneOutside) {
  write("a/one.txt", "one");
  std::ofstream((scratch_ / "secret").string()) << "secret";
  link("a/one.txt", "two.txt");
  link("../secret", "relative.txt");
  link((scratch_ / "secret").string(), "absolute.txt");
  link("a", "folder");
  link("nowhere", "dangling");
  EXPECT_EQ(paths(), (std::vector<std::string>{"a/one.txt", "two.txt"}));
  EXPECT_THAT(read()->notes,
              Contains(HasSubstr("relative.txt is left out: it leads out of the folder")));
  EXPECT_EQ(read()->notes.size(), 4u);
}

TEST_F(FolderTest, DoesNotWaitForAPipe) {
  write("a.txt", "");
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(paths(), std::vector<std::string>{"a.txt"});
}

TEST_F(FolderTest, IsBounded) {
  for (int i = 0; i < 5; ++i) write("d/" + std::to_string(i), "0123456789");
  EXPECT_TRUE(read({.files = 5, .bytes = 50, .depth = 1}));
  EXPECT_THAT(read({.files = 4}).error().message, HasSubstr("more than 4 files"));
  EXPECT_THAT(read({.bytes = 49}).error().message, HasSubstr("more than 49 bytes"));
  EXPECT_THAT(read({.depth = 0}).error().message, HasSubstr("more than 0 folders"));
}

TEST_F(FolderTest, SaysWhichFolderIsMissing) {
  EXPECT_THAT(read().error().message,
              HasSubstr("read the folder " + (scratch_ / "root").string() + ": No such file"));
}

}  // namespace
}  // namespace qdt::os
