#include "os/process.h"

#include <gtest/gtest.h>

#include "os/clock.h"
#include "os/windows/event_log.h"
#include "os/windows/stop_request.h"

namespace qdt::os {
namespace {

TEST(StopSignal, WakesAPollerAndTellsWhoAsked) {
  auto stop = StopSignal::open();
  ASSERT_TRUE(stop) << stop.error().message;
  auto poller = Poller::open();
  ASSERT_TRUE(poller->add(stop->poll_handle(), 3));
  EXPECT_TRUE(poller->wait(now(), now()).empty());
  EXPECT_FALSE(stop->take());

  StopRequest::of_process().make("Ctrl-C");
  const auto events = poller->wait(now() + 5s, now());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].key, 3);
  EXPECT_EQ(stop->take().value().name, "Ctrl-C");
  EXPECT_FALSE(stop->take());
  EXPECT_TRUE(poller->wait(now(), now()).empty());
}

TEST(Process, KnowsItsHost) {
  EXPECT_EQ(platform(), "windows");
  EXPECT_FALSE(host_name().empty());
  for (const IpAddress& address : host_addresses()) EXPECT_FALSE(address.is_loopback());
}

TEST(EventLine, HasALevelAtItsStart) {
  EXPECT_EQ(parse_event_line("<3>broken").level, LogLevel::kError);
  EXPECT_EQ(parse_event_line("<4>odd").level, LogLevel::kWarning);
  EXPECT_EQ(parse_event_line("<6>connected").level, LogLevel::kInfo);
  EXPECT_EQ(parse_event_line("<6>connected").text, "connected");
}

TEST(EventLine, IsAnErrorWithoutOne) {
  EXPECT_EQ(parse_event_line("qdt-client: no").level, LogLevel::kError);
  EXPECT_EQ(parse_event_line("qdt-client: no").text, "qdt-client: no");
  EXPECT_EQ(parse_event_line("").text, "");
}

}  // namespace
}  // namespace qdt::os
