#include "shard/ask.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "shard/mailbox.h"

namespace qdt::shard {
namespace {

// A thread that does what is posted, with a turn of its own in between, as a shard does.
class Worker {
 public:
  using Task = std::move_only_function<void(Worker&, Timestamp)>;

  explicit Worker(int place) : number(place), mailbox_(std::move(*os::Waker::open())) {}
  ~Worker() {
    if (!thread_.joinable()) return;
    post([](Worker& self, Timestamp) { self.is_over_ = true; });
  }
  void post(Task task) { mailbox_.post(std::move(task)); }
  void start() {
    thread_ = std::jthread([this] {
      auto poller = os::Poller::open();
      ASSERT_TRUE(poller->add(mailbox_.poll_handle(), 0));
      while (!is_over_) {
        poller->wait(kNever, os::now());
        for (Task& task : mailbox_.take()) task(*this, os::now());
        ++turns;
      }
    });
  }

  const int number;
  int turns = 0;  // of its thread

 private:
  Mailbox<Task> mailbox_;
  bool is_over_ = false;
  std::jthread thread_;
};

using Workers = std::vector<std::unique_ptr<Worker>>;

Workers some_workers(int count) {
  Workers workers;
  for (int i = 0; i < count; ++i) workers.push_back(std::make_unique<Worker>(i));
  return workers;
}

TEST(Ask, GathersTheAnswersInOrder) {
  const Workers workers = some_workers(3);
  for (const auto& worker : workers) worker->start();
  const auto answers = ask<int>(
      workers,
      [](Worker& worker, Timestamp, int& answer) {
        answer = 10 * worker.number;
        return true;
      },
      os::now() + 60s);
  ASSERT_TRUE(answers) << answers.error().message;
  EXPECT_EQ(*answers, (std::vector{0, 10, 20}));
}

TEST(Ask, TakesATurnForEachStep) {
  const Workers workers = some_workers(1);
  workers.front()->start();
  const auto answers = ask<std::vector<int>>(
      workers,
      [](Worker& worker, Timestamp, std::vector<int>& turns) {
        turns.push_back(worker.turns);
        return turns.size() == 3;
      },
      os::now() + 60s);
  ASSERT_TRUE(answers) << answers.error().message;
  EXPECT_EQ(answers->front(), (std::vector{0, 1, 2}));
}

TEST(Ask, GivesUpAtTheDeadline) {
  const Workers workers = some_workers(2);
  workers.front()->start();
  const auto answers =
      ask<int>(workers, [](Worker&, Timestamp, int&) { return true; }, os::now() + 50ms);
  ASSERT_FALSE(answers);
  EXPECT_EQ(answers.error().code, ErrorCode::kTimeout);
  EXPECT_EQ(answers.error().message, "ask the shards: 1 of 2 have not answered in time");
}

TEST(Ask, DoesNoStepForNobody) {
  const Workers workers = some_workers(1);
  bool is_asked = false;
  const auto step = [&](Worker&, Timestamp, int&) { return is_asked = true; };
  EXPECT_FALSE(ask<int>(workers, step, os::now()));
  workers.front()->start();
  EXPECT_TRUE(ask<int>(workers, [](Worker&, Timestamp, int&) { return true; }, os::now() + 60s));
  EXPECT_FALSE(is_asked);
}

}  // namespace
}  // namespace qdt::shard
