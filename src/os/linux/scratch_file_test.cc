#include "os/scratch_file.h"

#include <gtest/gtest.h>

#include <fstream>

namespace qdt::os {
namespace {

TEST(ScratchFile, GivesBackWhatWasWrittenToItsPath) {
  const auto file = ScratchFile::create();
  ASSERT_TRUE(file);
  EXPECT_EQ(file->read(), "");
  std::ofstream(file->path()) << "one" << std::flush;
  EXPECT_EQ(file->read(), "one");
  std::ofstream(file->path()) << "2";
  EXPECT_EQ(file->read(), "2");
}

TEST(ScratchFile, IsGoneWithTheObject) {
  std::string path;
  {
    const auto file = ScratchFile::create();
    ASSERT_TRUE(file);
    path = file->path();
  }
  EXPECT_FALSE(std::ifstream(path));
}

}  // namespace
}  // namespace qdt::os
