#include "quic/per_second.h"

#include <gtest/gtest.h>

namespace qdt::quic {
namespace {

TEST(PerSecond, GivesSoManyAndNoMore) {
  PerSecond two(2);
  const Timestamp now{10s};
  EXPECT_TRUE(two.take(now));
  EXPECT_FALSE(two.is_used_up(now));
  EXPECT_TRUE(two.take(now));
  EXPECT_TRUE(two.is_used_up(now + 499ms));
  EXPECT_FALSE(two.take(now + 499ms));
}

TEST(PerSecond, HasAnotherAsSoonAsItIsDue) {
  PerSecond two(2);
  const Timestamp now{10s};
  EXPECT_TRUE(two.take(now));
  EXPECT_TRUE(two.take(now));
  EXPECT_TRUE(two.take(now + 500ms));
  EXPECT_FALSE(two.take(now + 500ms));
}

TEST(PerSecond, SavesNoMoreThanASecond) {
  PerSecond one(1);
  const Timestamp now{10s};
  EXPECT_TRUE(one.take(now));
  EXPECT_TRUE(one.take(now + 60s));
  EXPECT_FALSE(one.take(now + 60s));
}

TEST(PerSecond, LeavesSomeBesideABurstEachSecond) {
  PerSecond hundred(100);
  int others = 0;
  for (int second = 10; second < 20; ++second) {
    const Timestamp now{Duration(1s) * second};
    for (int i = 0; i < 5000; ++i) hundred.take(now);
    others += hundred.take(now + 500ms) ? 1 : 0;
  }
  EXPECT_EQ(others, 10);
}

}  // namespace
}  // namespace qdt::quic
