#include "os/side_process.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "os/clock.h"
#include "support/scratch_folder.h"

namespace qdt::os {
namespace {

std::unique_ptr<SideProcess> start(std::vector<std::string> places, SideProcess::Answer answer) {
  auto process = SideProcess::start(
      {.title = "test: side", .watcher_title = "test: watcher", .name = "side", .places = places},
      [&] { return answer; });
  EXPECT_TRUE(process) << process.error().message;
  return std::move(*process);
}

TEST(SideProcess, AnswersInAnotherProcess) {
  const auto side = start({}, [](std::string_view question) {
    return std::string(question) + " " + std::to_string(::getpid());
  });
  const auto answer = side->ask("who", now() + 30s);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->starts_with("who "));
  EXPECT_NE(*answer, "who " + std::to_string(::getpid()));
}

TEST(SideProcess, AnswersAtLengthAndNotAtAll) {
  const auto side = start({}, [](std::string_view question) {
    return question == "much" ? std::string(20 << 20, 'x') : std::string();
  });
  EXPECT_EQ(side->ask("much", now() + 30s)->size(), std::size_t{20} << 20);
  EXPECT_EQ(*side->ask("nothing", now() + 30s), "");
  EXPECT_EQ(side->ask(std::string(SideProcess::kMaxQuestionBytes + 1, 'x'), now()).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(SideProcess, IsWaitedForNoLongerThanItIsAllowed) {
  const testing::ScratchFolder folder;
  const std::string release = folder.file("release");
  const auto side = start({}, [&](std::string_view question) {
    while (question == "slow" && !std::filesystem::exists(release)) {
      std::this_thread::sleep_for(10ms);
    }
    return std::string(question);
  });
  EXPECT_EQ(side->ask("slow", now() + 10ms).error().code, ErrorCode::kTimeout);
  std::ofstream(release) << "now";
  EXPECT_EQ(*side->ask("quick", now() + 30s), "quick");  // the late answer is nobody's
}

TEST(SideProcess, SaysThatItHasGone) {
  const auto side = start({}, [](std::string_view) -> std::string { ::_exit(1); });
  EXPECT_EQ(side->ask("end", now() + 30s).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(side->ask("again", now() + 30s).error().code, ErrorCode::kUnavailable);
}

TEST(SideProcess, AnswersAgainAfterItWasKilled) {
  const auto side = start({}, [](std::string_view question) -> std::string {
    if (question == "die") __builtin_trap();
    return std::to_string(::getpid());
  });
  const auto before = side->ask("who", now() + 30s);
  const auto lost = side->ask("die", now() + 30s);
  EXPECT_EQ(lost.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(lost.error().message.find("was killed"), std::string::npos) << lost.error().message;
  const auto after = side->ask("who", now() + 30s);
  ASSERT_TRUE(before && after);
  EXPECT_NE(*before, *after);
}

// Nobody waits for the answer: the next one who asks learns that it was another.
TEST(SideProcess, IsAskedAgainWhenItWasKilledBetweenTwoQuestions) {
  const auto side =
      start({}, [](std::string_view) -> std::string { return std::to_string(::getpid()); });
  const pid_t process = std::stoi(*side->ask("who", now() + 30s));
  ASSERT_EQ(::kill(process, SIGKILL), 0);
  const Timestamp deadline = now() + 30s;
  auto answer = side->ask("who", deadline);
  while (!answer && now() < deadline) answer = side->ask("who", deadline);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_NE(std::stoi(*answer), process);
}

TEST(SideProcess, WritesInItsFoldersAndHasNoNetwork) {
  testing::ScratchFolder mine;
  testing::ScratchFolder other;
  const auto side =
      start({std::filesystem::path(mine.file("x")).parent_path()}, [](std::string_view question) {
        if (question == "socket") {
          return std::to_string(::socket(AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0);
        }
        return std::string(std::ofstream(std::string(question)) << "x" ? "written" : "refused");
      });
  EXPECT_EQ(*side->ask(mine.file("a"), now() + 30s), "written");
  EXPECT_EQ(*side->ask("socket", now() + 30s), std::to_string(EPERM));
#ifndef QDT_SANITIZED
  EXPECT_EQ(*side->ask(other.file("a"), now() + 30s), "refused");
#endif
}

TEST(SideProcess, AnswersManyThreads) {
  const auto side = start({}, [](std::string_view question) { return std::string(question); });
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, text = std::to_string(i)] {
      for (int j = 0; j < 50; ++j) EXPECT_EQ(*side->ask(text, now() + 30s), text);
    });
  }
}

}  // namespace
}  // namespace qdt::os
