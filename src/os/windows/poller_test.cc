#include "os/poller.h"

#include <gtest/gtest.h>

#include "os/clock.h"
#include "os/windows/poll_handle.h"
#include "os/windows/unique_handle.h"

namespace qdt::os {
namespace {

class WindowsPoller : public testing::Test {
 protected:
  WindowsPoller() : poller(*Poller::open()) {}
  // The keys of what is ready now.
  std::vector<int> ready() {
    std::vector<int> keys;
    for (const PollEvent& event : poller.wait(now(), now())) keys.push_back(event.key);
    return keys;
  }
  Poller poller;
};

TEST_F(WindowsPoller, ReportsWhatResetsItselfUntilItsReaderResetsIt) {
  const UniqueHandle event = make_event(/*is_manual_reset=*/false);
  ASSERT_TRUE(poller.add(to_poll_handle(event.get(), PollKind::kAutoReset), 5));
  EXPECT_EQ(ready(), std::vector<int>{});
  ::SetEvent(event.get());
  EXPECT_EQ(ready(), std::vector<int>{5});
  EXPECT_EQ(ready(), std::vector<int>{5});
  ::ResetEvent(event.get());
  EXPECT_EQ(ready(), std::vector<int>{});
}

TEST_F(WindowsPoller, ReportsAllThatIsReady) {
  const UniqueHandle first = make_event(), second = make_event(), third = make_event();
  ASSERT_TRUE(poller.add(to_poll_handle(first.get()), 1));
  ASSERT_TRUE(poller.add(to_poll_handle(second.get()), 2));
  ASSERT_TRUE(poller.add(to_poll_handle(third.get()), 3));
  ::SetEvent(first.get());
  ::SetEvent(third.get());
  EXPECT_EQ(ready(), (std::vector<int>{1, 3}));
  poller.remove(to_poll_handle(first.get()));
  EXPECT_EQ(ready(), std::vector<int>{3});
}

TEST_F(WindowsPoller, RefusesMoreThanWindowsCanWaitFor) {
  const UniqueHandle event = make_event();
  for (int key = 0; key < MAXIMUM_WAIT_OBJECTS - 2; ++key) {
    ASSERT_TRUE(poller.add(to_poll_handle(event.get()), key));
  }
  EXPECT_FALSE(poller.add(to_poll_handle(event.get()), 99));
  EXPECT_FALSE(poller.add(to_poll_handle(nullptr), 99));
}

}  // namespace
}  // namespace qdt::os
