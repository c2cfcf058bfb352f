#include "shard/mailbox.h"

#include <gtest/gtest.h>

#include <thread>

#include "os/clock.h"

namespace qdt::shard {
namespace {

Mailbox<int> make_mailbox() {
  return Mailbox<int>(std::move(*os::Waker::open()));
}

TEST(Mailbox, KeepsTheOrder) {
  auto mailbox = make_mailbox();
  for (int i = 0; i < 3; ++i) mailbox.post(i);
  EXPECT_EQ(mailbox.take(), (std::vector{0, 1, 2}));
  EXPECT_TRUE(mailbox.take().empty());
}

TEST(Mailbox, RefusesWhatMayBeLostWhenTooMuchWaits) {
  auto mailbox = make_mailbox();
  EXPECT_TRUE(mailbox.offer(1, 2));
  EXPECT_TRUE(mailbox.offer(2, 2));
  EXPECT_FALSE(mailbox.offer(3, 2));
  mailbox.post(4);
  EXPECT_EQ(mailbox.take(), (std::vector{1, 2, 4}));
}

TEST(Mailbox, LosesNothingBetweenThreads) {
  auto mailbox = make_mailbox();
  auto poller = os::Poller::open();
  ASSERT_TRUE(poller->add(mailbox.poll_handle(), 1));
  constexpr int kSenders = 4, kEach = 5000;
  std::vector<std::thread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&mailbox, sender] {
      for (int i = 0; i < kEach; ++i) mailbox.post(sender * kEach + i);
    });
  }
  std::vector<int> latest(kSenders, -1);
  for (int received = 0; received < kSenders * kEach;) {
    poller->wait(kNever, os::now());
    for (const int message : mailbox.take()) {
      EXPECT_GT(message % kEach, latest[static_cast<std::size_t>(message / kEach)]);
      latest[static_cast<std::size_t>(message / kEach)] = message % kEach;
      ++received;
    }
  }
  for (std::thread& sender : senders) sender.join();
}

}  // namespace
}  // namespace qdt::shard
