#include "os/process_usage.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

namespace qdt::os {
namespace {

TEST(ProcessUsage, IsPlausible) {
  const auto usage = process_usage();
  ASSERT_TRUE(usage);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LE(usage->start_time_seconds, now);
  EXPECT_GT(usage->start_time_seconds, now - 3600);
  EXPECT_GT(usage->cpu_seconds, 0);
  EXPECT_GT(usage->resident_bytes, 100'000u);
  EXPECT_GE(usage->virtual_bytes, usage->resident_bytes);
  EXPECT_GT(usage->max_open_files, usage->open_files);
}

TEST(ProcessUsage, CountsOpenFiles) {
  const auto before = process_usage();
  const std::ifstream file("/dev/null");
  const auto after = process_usage();
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->open_files, before->open_files + 1);
}

TEST(CommandLine, EndsEachArgumentWithNul) {
  const std::string arguments = command_line();
  ASSERT_FALSE(arguments.empty());
  EXPECT_EQ(arguments.back(), '\0');
  EXPECT_NE(arguments.find("os_test"), std::string::npos);
}

TEST(ProgramPath, IsThatOfTheTest) {
  EXPECT_TRUE(program_path().ends_with("/os_test")) << program_path();
}

}  // namespace
}  // namespace qdt::os
