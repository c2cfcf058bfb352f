#include "ops/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <thread>

namespace qdt::ops {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

// 2026-11-22T13:38:01.123Z
const std::chrono::system_clock::time_point kTime{std::chrono::milliseconds(1795354681123)};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

TEST(LogLine, IsTextWithLocalTime) {
  const std::string line = log_line(LogFormat::kText, LogLevel::kInfo, kTime, "ready");
  const std::regex pattern(R"(2026-11-2[123] \d\d:\d\d:01\.123 info  ready)");
  EXPECT_TRUE(std::regex_match(line, pattern)) << line;
}

TEST(LogLine, LabelsWarningsAndErrors) {
  const auto tail = [](LogLevel level) {
    return log_line(LogFormat::kText, level, kTime, "x").substr(23);
  };
  EXPECT_EQ(tail(LogLevel::kDebug), " debug x");
  EXPECT_EQ(tail(LogLevel::kWarning), " warning: x");
  EXPECT_EQ(tail(LogLevel::kError), " error: x");
}

TEST(LogLine, CannotBeForged) {
  const std::string_view evil = "x\n2026-11-22 error \x1b[2Jgone\xff";
  EXPECT_EQ(log_line(LogFormat::kText, LogLevel::kInfo, kTime, evil).substr(30),
            "x\\n2026-11-22 error \\x1b[2Jgone\\xff");
  EXPECT_EQ(log_line(LogFormat::kJournal, LogLevel::kInfo, kTime, "x\n<3>y"), "<6>x\\n<3>y");
}

TEST(LogLine, LeavesTimeAndLevelToTheJournal) {
  EXPECT_EQ(log_line(LogFormat::kJournal, LogLevel::kDebug, kTime, "x"), "<7>x");
  EXPECT_EQ(log_line(LogFormat::kJournal, LogLevel::kWarning, kTime, "x"), "<4>warning: x");
  EXPECT_EQ(log_line(LogFormat::kJournal, LogLevel::kError, kTime, "x"), "<3>error: x");
}

TEST(LogLine, HasFieldsAsKeysInJsonAlone) {
  const LogFields fields = {{"client", "a\"b"}, {"reason", "idle"}};
  EXPECT_EQ(log_line(LogFormat::kJson, LogLevel::kInfo, kTime, "x", fields),
            R"({"time":"2026-11-22T13:38:01.123Z","level":"info","msg":"x","client":"a\"b",)"
            R"("reason":"idle"})");
  EXPECT_EQ(log_line(LogFormat::kJournal, LogLevel::kInfo, kTime, "x", fields), "<6>x");
}

TEST(LogLine, IsJsonInUtc) {
  EXPECT_EQ(log_line(LogFormat::kJson, LogLevel::kInfo, kTime, "a \"b\"\n"),
            R"({"time":"2026-11-22T13:38:01.123Z","level":"info","msg":"a \"b\"\n"})");
}

TEST(LogLine, IsValidJsonWhateverTheMessage) {
  const std::string line = log_line(LogFormat::kJson, LogLevel::kInfo, kTime, "\xff\x01{}");
  EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

TEST(Logger, ShowsItsLevelAndAbove) {
  CaptureStderr();
  const auto logger = make_logger(LogLevel::kWarning, /*json=*/false);
  logger->debug("one");
  logger->info("two");
  logger->warning("three");
  logger->error("four {}");
  const std::string text = GetCapturedStderr();
  EXPECT_THAT(lines(text), testing::ElementsAre(testing::EndsWith(" warning: three"),
                                                testing::EndsWith(" error: four {}")));
}

TEST(Logger, TakesAnotherLevel) {
  CaptureStderr();
  const auto logger = make_logger(LogLevel::kError, /*json=*/false);
  logger->info("one");
  logger->set_level(LogLevel::kInfo);
  logger->info("two");
  EXPECT_THAT(lines(GetCapturedStderr()), testing::ElementsAre(testing::EndsWith("info  two")));
}

TEST(Logger, KeepsLinesWholeAcrossThreads) {
  CaptureStderr();
  const auto logger = make_logger(LogLevel::kInfo, /*json=*/true);
  {
    std::array<std::jthread, 4> threads;
    for (std::jthread& thread : threads) {
      thread = std::jthread([&] {
        for (int j = 0; j < 50; ++j) logger->info("message");
      });
    }
  }
  const auto all = lines(GetCapturedStderr());
  EXPECT_EQ(all.size(), 200u);
  for (const std::string& line : all) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
}

}  // namespace
}  // namespace qdt::ops
