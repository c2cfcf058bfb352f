#include "os/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace qdt::os {
namespace {

using testing::HasSubstr;

class TextLogger final : public Logger {
 public:
  std::string text;

 private:
  void write(LogLevel, std::string_view message) override { text.append(message).append("\n"); }
};

Program cmd(const std::string& script) {
  return {.words = {"cmd.exe", "/d", "/c", script}, .environment = {"QDT_DEVICE=qdt0"}};
}

TEST(WindowsProgram, IsToldAndHeard) {
  TextLogger logger;
  ASSERT_TRUE(run_program(cmd("echo to %QDT_DEVICE%&echo no 1>&2"), logger));
  EXPECT_THAT(logger.text, HasSubstr("cmd.exe: to qdt0\n"));
  EXPECT_THAT(logger.text, HasSubstr("cmd.exe: no"));
}

TEST(WindowsProgram, FailsByItsStatusAndItsAbsence) {
  TextLogger logger;
  EXPECT_THAT(run_program(cmd("exit 7"), logger).error().message, HasSubstr("status 7"));
  const Program missing{.words = {"C:\\nonexistent.exe"}, .environment = {}};
  EXPECT_THAT(run_program(missing, logger).error().message, HasSubstr("run C:\\nonexistent.exe: "));
}

TEST(WindowsProgram, IsKilledWhenItTakesTooLong) {
  TextLogger logger;
  Program slow = cmd("for /l %i in (1,0,2) do @rem");  // for ever
  slow.limit = 50ms;
  EXPECT_THAT(run_program(slow, logger).error().message, HasSubstr("killed"));
}

TEST(WindowsProgram, FillsNoLog) {
  TextLogger logger;
  EXPECT_TRUE(run_program(cmd("for /l %i in (1,1,200) do @echo y"), logger));
  EXPECT_EQ(std::ranges::count(logger.text, '\n'), 100);
}

}  // namespace
}  // namespace qdt::os
