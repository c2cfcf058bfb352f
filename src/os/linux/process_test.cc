#include "os/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "os/clock.h"
#include "os/linux/network_fixture.h"
#include "os/poller.h"

namespace qdt::os {
namespace {

bool is_ready(PollHandle handle) {
  auto poller = Poller::open();
  return poller && poller->add(handle, 1) && !poller->wait(now(), now()).empty();
}

TEST(StopSignal, OfAnEndIsNotReadyForFilesToBeReadAgain) {
  in_child([] {
    auto stop = StopSignal::open(StopSignal::Hangup::kReread);
    ASSERT_TRUE(stop);
    ::kill(::getpid(), SIGHUP);
    EXPECT_TRUE(is_ready(stop->poll_handle()));
    EXPECT_FALSE(is_ready(stop->end_handle()));
    ::kill(::getpid(), SIGTERM);
    EXPECT_TRUE(is_ready(stop->end_handle()));
    // Each is taken once, in whatever order.
    int ends = 0;
    int rereads = 0;
    while (const auto request = stop->take()) {
      ++(request->kind == ProcessRequest::Kind::kStop ? ends : rereads);
    }
    EXPECT_EQ(ends, 1);
    EXPECT_EQ(rereads, 1);
    EXPECT_FALSE(is_ready(stop->end_handle()));
  });
}

TEST(StopSignal, OfAnEndIsReadyForAHangupThatIsOne) {
  in_child([] {
    std::signal(SIGHUP, SIG_DFL);
    auto stop = StopSignal::open();
    ASSERT_TRUE(stop);
    ::kill(::getpid(), SIGHUP);
    EXPECT_TRUE(is_ready(stop->end_handle()));
  });
}

}  // namespace
}  // namespace qdt::os
