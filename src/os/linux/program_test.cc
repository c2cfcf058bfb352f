#include "os/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace qdt::os {
namespace {

using testing::HasSubstr;
using testing::Not;

class TextLogger final : public Logger {
 public:
  std::string text;

 private:
  void write(LogLevel, std::string_view message) override { text.append(message).append("\n"); }
};

Program sh(const std::string& script) {
  return {.words = {"/bin/sh", "-c", script}, .environment = {"QDT_DEVICE=qdt0"}};
}

TEST(Program, IsToldAndHeard) {
  TextLogger logger;
  EXPECT_TRUE(run_program(sh("echo to $QDT_DEVICE; printf 'no\\033 end' >&2"), logger));
  EXPECT_THAT(logger.text, HasSubstr("/bin/sh: to qdt0\n"));
  EXPECT_THAT(logger.text, HasSubstr("/bin/sh: no? end\n"));
}

TEST(Program, GetsItsArgumentsAsTheyAre) {
  TextLogger logger;
  const Program echo{.words = {"/bin/echo", "a  b", "$(id)", "*"}, .environment = {}};
  EXPECT_TRUE(run_program(echo, logger));
  EXPECT_THAT(logger.text, HasSubstr("a  b $(id) *\n"));
}

TEST(Program, FailsByItsStatusItsSignalAndItsAbsence) {
  TextLogger logger;
  EXPECT_THAT(run_program(sh("exit 7"), logger).error().message, HasSubstr("status 7"));
  EXPECT_THAT(run_program(sh("kill -9 $$"), logger).error().message, HasSubstr("signal 9"));
  const Program missing{.words = {"/nonexistent"}, .environment = {}};
  EXPECT_THAT(run_program(missing, logger).error().message, HasSubstr("No such file"));
}

TEST(Program, IsNotRunWhereOthersCouldReplaceIt) {
  TextLogger logger;
  std::string folder = testing::TempDir() + "qdt-program-test-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/program";
  std::filesystem::copy_file("/bin/true", path);
  const Program program{.words = {path}, .environment = {}};
  EXPECT_TRUE(run_program(program, logger));
  const auto error_with = [&](const std::string& changed, unsigned mode) {
    ::chmod(changed.c_str(), mode);
    const auto ran = run_program(program, logger);
    ::chmod(changed.c_str(), 0755);
    return ran ? "" : ran.error().message;
  };
  EXPECT_THAT(error_with(path, 0775), HasSubstr("others may write " + path));
  EXPECT_THAT(error_with(folder, 0777), HasSubstr("others may write " + folder));
  EXPECT_THAT(error_with(folder, 01777), "") << "the sticky bit";
  std::filesystem::remove_all(folder);
}

TEST(Program, IsKilledWithItsChildrenWhenItTakesTooLong) {
  TextLogger logger;
  Program slow = sh("exec >&-; sleep 600 & wait");
  slow.limit = 50ms;
  EXPECT_THAT(run_program(slow, logger).error().message, HasSubstr("killed"));
}

TEST(Program, MayLeaveSomethingRunning) {
  TextLogger logger;
  EXPECT_TRUE(run_program(sh("sleep 2 & echo started"), logger));
  EXPECT_THAT(logger.text, HasSubstr("started"));
}

TEST(Program, FillsNoLog) {
  TextLogger logger;
  EXPECT_TRUE(run_program(sh("yes | head -n 5000"), logger));
  EXPECT_EQ(std::ranges::count(logger.text, '\n'), 100);
}

}  // namespace
}  // namespace qdt::os
