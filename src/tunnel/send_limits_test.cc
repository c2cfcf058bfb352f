#include "tunnel/send_limits.h"

#include <gtest/gtest.h>

namespace qdt::tunnel {
namespace {

constexpr Timestamp kStart{100s};
using Times = std::array<Duration, kSendLimits>;

TEST(SendLimits, BeginWithTheApplications) {
  SendLimits limits(kStart);
  EXPECT_EQ(limits.take(kStart + 3s), (Times{3s, 0s, 0s, 0s}));
}

TEST(SendLimits, CountFromChangeToChange) {
  SendLimits limits(kStart);
  limits.set(SendLimit::kPacing, kStart + 1s);
  limits.set(SendLimit::kPacing, kStart + 2s);
  limits.set(SendLimit::kWindow, kStart + 4s);
  limits.set(SendLimit::kSocket, kStart + 9s);
  EXPECT_EQ(limits.take(kStart + 10s), (Times{1s, 5s, 3s, 1s}));
}

TEST(SendLimits, AreTakenOnce) {
  SendLimits limits(kStart);
  limits.set(SendLimit::kWindow, kStart);
  limits.take(kStart + 5s);
  EXPECT_EQ(limits.take(kStart + 7s), (Times{0s, 2s, 0s, 0s}));
}

}  // namespace
}  // namespace qdt::tunnel
