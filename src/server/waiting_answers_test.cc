#include "server/waiting_answers.h"

#include <gtest/gtest.h>

#include <array>

namespace qdt::server {
namespace {

constexpr Timestamp kStart{Duration(1h)};

class WaitingAnswersTest : public testing::Test {
 protected:
  // An address alone: nothing is read there.
  quic::Connection* connection(std::size_t number) {
    return reinterpret_cast<quic::Connection*>(&places_[number * sizeof(std::max_align_t)]);
  }
  bool add(std::size_t number, Duration due, quic::StreamId stream = 0) {
    return waiting_.add({.connection = connection(number), .stream = stream}, kStart + due);
  }
  // The number of the connection whose answer is due; -1: none.
  int due(Duration after) {
    const auto answer = waiting_.take_due(kStart + after);
    if (!answer) return -1;
    for (int i = 0;; ++i) {
      if (connection(static_cast<std::size_t>(i)) == answer->connection) return i;
    }
  }

  WaitingAnswers waiting_;

 private:
  alignas(std::max_align_t) std::array<char, 2000 * sizeof(std::max_align_t)> places_{};
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
  EXPECT_FALSE(add(1, 3s, 4));
  EXPECT_EQ(due(2s), 1);
  EXPECT_TRUE(add(1, 3s, 4));
}

TEST_F(WaitingAnswersTest, KeepsThePlaceOfOneThatWasGivenUp) {
  EXPECT_TRUE(add(1, 2s));
  waiting_.give_up(*connection(1), 0);
  EXPECT_FALSE(add(1, 3s, 4));
  EXPECT_EQ(due(2s), -1);
  EXPECT_TRUE(add(1, 3s, 4));
}

TEST_F(WaitingAnswersTest, ForgetsAConnection) {
  EXPECT_TRUE(add(1, 2s));
  waiting_.forget(*connection(1));
  waiting_.forget(*connection(2));
  EXPECT_EQ(waiting_.next(), kNever);
}

TEST_F(WaitingAnswersTest, HasABound) {
  for (std::size_t i = 0; i < WaitingAnswers::kMaxAnswers; ++i) EXPECT_TRUE(add(i, 2s));
  EXPECT_FALSE(add(WaitingAnswers::kMaxAnswers, 1s));
  EXPECT_EQ(waiting_.size(), WaitingAnswers::kMaxAnswers);
}

}  // namespace
}  // namespace qdt::server
