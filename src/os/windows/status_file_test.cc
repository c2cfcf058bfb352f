#include "os/status_file.h"

#include <gtest/gtest.h>

#include "os/file.h"
#include "os/run_file.h"
#include "os/windows/run_folder.h"

namespace qdt::os {
namespace {

TEST(StatusFile, IsFoundWhileItsWriterLives) {
  const auto file = StatusFile::open("qdt-test1");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_TRUE(file->write("state connected\n"));
  ASSERT_TRUE(file->write("state reconnecting\n"));
  const auto found = find_status_files("qdt-test1");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].content, "state reconnecting\n");
  EXPECT_TRUE(found[0].is_alive);
}

TEST(StatusFile, GoesWithTheObject) {
  {
    const auto file = StatusFile::open("qdt-test2");
    ASSERT_TRUE(file->write("x"));
  }
  EXPECT_TRUE(find_status_files("qdt-test2").empty());
}

TEST(StatusFile, IsEverybodysToReadAndNobodysToChange) {
  const auto file = StatusFile::open("qdt-test3");
  ASSERT_TRUE(file->write("x"));
  const std::string path = *run_file_path("qdt-test3", "status");
  EXPECT_TRUE(is_readable_by_others(path));
  EXPECT_FALSE(is_writable_by_others(path));
}

TEST(StatusFile, OfAProcessThatHasEndedIsNotAlive) {
  const std::string path = *run_file_path("qdt-test4", "status");
  ASSERT_TRUE(replace_private_file(path, "process 4294967292 1\nstate connected\n"));
  const auto found = find_status_files("qdt-test4");
  EXPECT_TRUE(remove_file(path));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_FALSE(found[0].is_alive);
  EXPECT_EQ(found[0].content, "state connected\n");
}

}  // namespace
}  // namespace qdt::os
