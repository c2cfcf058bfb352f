#include "os/poller.h"

#include <gtest/gtest.h>

#include <thread>

#include "os/clock.h"

namespace qdt::os {
namespace {

TEST(Poller, ReturnsAtItsDeadline) {
  auto poller = Poller::open();
  const Timestamp start = now();
  EXPECT_TRUE(poller->wait(start + 5ms, start).empty());
  EXPECT_GE(now(), start + 5ms);
}

TEST(Poller, DoesNotWaitForADeadlineThatHasPassed) {
  auto poller = Poller::open();
  EXPECT_TRUE(poller->wait(now() - 1s, now()).empty());
}

TEST(Waker, WakesAPollerFromAnotherThread) {
  auto poller = Poller::open();
  auto waker = Waker::open();
  ASSERT_TRUE(poller->add(waker->poll_handle(), 7));
  std::thread other([&] { waker->wake(); });
  const auto events = poller->wait(kNever, now());
  other.join();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].key, 7);
  EXPECT_TRUE(events[0].is_readable);
}

TEST(Waker, SleepsAgainWhenCleared) {
  auto poller = Poller::open();
  auto waker = Waker::open();
  ASSERT_TRUE(poller->add(waker->poll_handle(), 7));
  waker->wake();
  waker->wake();
  waker->clear();
  EXPECT_TRUE(poller->wait(now(), now()).empty());
}

TEST(Poller, ReportsWritabilityOnlyWhenWatched) {
  auto poller = Poller::open();
  auto waker = Waker::open();
  ASSERT_TRUE(poller->add(waker->poll_handle(), 7));
  EXPECT_TRUE(poller->wait(now(), now()).empty());
  poller->watch_writable(waker->poll_handle(), 7, true);
  const auto events = poller->wait(now(), now());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0].is_writable);
  poller->watch_writable(waker->poll_handle(), 7, false);
  EXPECT_TRUE(poller->wait(now(), now()).empty());
}

}  // namespace
}  // namespace qdt::os
