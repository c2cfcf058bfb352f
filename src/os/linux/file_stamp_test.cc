#include "os/file_stamp.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace qdt::os {
namespace {

class FileStamp : public testing::Test {
 protected:
  FileStamp() {
    std::filesystem::create_directory(folder_);
    write("one", "first");
    write("two", "other");
    std::filesystem::create_symlink("one", path("link"));
  }
  ~FileStamp() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  // By a link, as certbot has it.
  std::uint64_t stamp() const { return file_stamp({path("link"), path("two")}); }

  std::string folder_ = testing::TempDir() + "/qdt-file-stamp-" + std::to_string(::getpid());
};

TEST_F(FileStamp, StaysWhileNothingChanges) {
  EXPECT_EQ(stamp(), stamp());
  EXPECT_NE(stamp(), file_stamp({path("two"), path("link")}));
}

TEST_F(FileStamp, ChangesWithEveryChange) {
  std::set<std::uint64_t> stamps = {stamp()};
  const auto is_new = [&] { return stamps.insert(stamp()).second; };
  write("one", "longer than first");
  EXPECT_TRUE(is_new()) << "written in place";
  write("next", "longer than first");
  std::filesystem::rename(path("next"), path("two"));
  EXPECT_TRUE(is_new()) << "renamed over";
  write("elsewhere", "longer than first");
  std::filesystem::create_symlink("elsewhere", path("link.next"));
  std::filesystem::rename(path("link.next"), path("link"));
  EXPECT_TRUE(is_new()) << "a link to another file";
  std::filesystem::remove(path("elsewhere"));
  EXPECT_TRUE(is_new()) << "gone";
  std::filesystem::create_directory(path("elsewhere"));
  EXPECT_TRUE(is_new()) << "a folder";
}

}  // namespace
}  // namespace qdt::os
