#include "server/waiting_answers.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>

namespace qdt::server {
namespace {

constexpr Timestamp kStart{Duration(1h)};

class FakeExchange final : public Exchange {
 public:
  explicit FakeExchange(std::size_t connection) : connection_(connection) {}
  const void* connection() const override {
    return reinterpret_cast<const void*>(connection_);  // NOLINT(performance-no-int-to-ptr)
  }
  SocketAddress from() const override { return {}; }
  bool is_carriage_known() const override { return true; }
  Carriage carriage() const override { return {}; }
  void respond(const quic::Response&) override {}
  void close() override {}
  void open(Grant&, const SettledSession&, tunnel::SessionOptions&) override {}

 private:
  std::size_t connection_;
};

class WaitingAnswersTest : public testing::Test {
 protected:
  // An exchange of the connection with that number.
  Exchange& exchange(std::size_t connection) { return exchanges_.emplace_back(connection); }
  bool add(std::size_t connection, Duration due) { return add(exchange(connection), due); }
  bool add(Exchange& one, Duration due) {
    return waiting_.add({.connection = one.connection(), .exchange = &one}, kStart + due);
  }
  // The number of the connection whose answer is due; -1: none.
  int due(Duration after) {
    const auto answer = waiting_.take_due(kStart + after);
    return answer ? static_cast<int>(reinterpret_cast<std::intptr_t>(answer->connection)) : -1;
  }

  WaitingAnswers waiting_;

 private:
  std::deque<FakeExchange> exchanges_;
};

TEST_F(WaitingAnswersTest, GivesEachInItsTurn) {
  EXPECT_EQ(waiting_.next(), kNever);
  EXPECT_TRUE(add(1, 2s));
  EXPECT_TRUE(add(2, 1s));
  EXPECT_EQ(waiting_.next(), kStart + 1s);
  EXPECT_EQ(due(999ms), -1);
  EXPECT_EQ(due(2s), 2);
  EXPECT_EQ(due(2s), 1);
  EXPECT_EQ(due(2s), -1);
}

TEST_F(WaitingAnswersTest, TakesOneOfAConnection) {
  EXPECT_TRUE(add(1, 2s));
  EXPECT_FALSE(add(1, 3s));
  EXPECT_EQ(due(2s), 1);
  EXPECT_TRUE(add(1, 3s));
}

TEST_F(WaitingAnswersTest, KeepsThePlaceOfOneThatWasGivenUp) {
  Exchange& first = exchange(1);
  EXPECT_TRUE(add(first, 2s));
  waiting_.give_up(exchange(1));  // another one
  EXPECT_EQ(waiting_.size(), 1u);
  waiting_.give_up(first);
  EXPECT_FALSE(add(1, 3s));
  EXPECT_EQ(due(2s), -1);
  EXPECT_TRUE(add(1, 3s));
}

TEST_F(WaitingAnswersTest, ForgetsAConnection) {
  EXPECT_TRUE(add(1, 2s));
  waiting_.forget(exchange(1).connection());
  waiting_.forget(exchange(2).connection());
  EXPECT_EQ(waiting_.next(), kNever);
}

TEST_F(WaitingAnswersTest, HasABound) {
  for (std::size_t i = 0; i < WaitingAnswers::kMaxAnswers; ++i) EXPECT_TRUE(add(i + 1, 2s));
  EXPECT_FALSE(add(WaitingAnswers::kMaxAnswers + 1, 1s));
  EXPECT_EQ(waiting_.size(), WaitingAnswers::kMaxAnswers);
}

}  // namespace
}  // namespace qdt::server
