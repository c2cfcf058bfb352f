#include "base/recent_maximum.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

TEST(RecentMaximum, IsTheLongestOfLate) {
  RecentMaximum longest;
  Timestamp now{1h};
  EXPECT_EQ(longest.note(3ms, now), 3ms);
  EXPECT_EQ(longest.note(1ms, now += 1s), 3ms);
  EXPECT_EQ(longest.note(5ms, now += 1s), 5ms);
  EXPECT_EQ(longest.note(1ms, now += 10s), 5ms) << "of the window before";
  EXPECT_EQ(longest.note(1ms, now += 10s), 1ms) << "forgotten";
}

TEST(RecentMaximum, ALongSilenceIsForgotten) {
  RecentMaximum longest;
  longest.note(5ms, Timestamp{1h});
  EXPECT_EQ(longest.note(1ms, Timestamp{2h}), 1ms);
}

}  // namespace
}  // namespace qdt
