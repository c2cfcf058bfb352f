#include "os/link_monitor.h"

#include <gtest/gtest.h>

#include "os/poller.h"

namespace qdt::os {
namespace {

TEST(LinkMonitor, ReportsNothingWhileNothingChanges) {
  auto monitor = LinkMonitor::open("qdt0");
  ASSERT_TRUE(monitor) << monitor.error().message;
  EXPECT_FALSE(monitor->take());
  auto poller = Poller::open();
  ASSERT_TRUE(poller);
  ASSERT_TRUE(poller->add(monitor->poll_handle(), 7));
  EXPECT_TRUE(poller->wait(Timestamp{}, Timestamp{}).empty());
}

}  // namespace
}  // namespace qdt::os
