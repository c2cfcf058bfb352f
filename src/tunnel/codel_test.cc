#include "tunnel/codel.h"

#include <gtest/gtest.h>

namespace qdt::tunnel {
namespace {

constexpr Timestamp kStart{1000s};

// How many of the packets that leave, one each millisecond, are dropped in `period`.
int dropped(Codel& codel, Duration sojourn, Timestamp from, Duration period) {
  int count = 0;
  for (Timestamp now = from; now < from + period; now += 1ms) {
    if (codel.should_drop(sojourn, false, now)) ++count;
  }
  return count;
}

TEST(Codel, LetsABurstWait) {
  Codel codel;
  EXPECT_EQ(dropped(codel, 80ms, kStart, 99ms), 0);
  EXPECT_EQ(dropped(codel, 4ms, kStart + 99ms, 1s), 0);
  EXPECT_EQ(dropped(codel, 80ms, kStart + 1100ms, 99ms), 0);
}

TEST(Codel, DropsMoreAndMoreWhileAQueueStands) {
  Codel codel;
  const int first = dropped(codel, 20ms, kStart, 1s);
  const int second = dropped(codel, 20ms, kStart + 1s, 1s);
  const int third = dropped(codel, 20ms, kStart + 2s, 1s);
  EXPECT_GE(first, 15);
  EXPECT_GT(second, first + 10);
  EXPECT_GT(third, second + 10);
}

TEST(Codel, StopsWhenTheQueueIsShort) {
  Codel codel;
  dropped(codel, 20ms, kStart, 1s);
  EXPECT_FALSE(codel.should_drop(4ms, false, kStart + 1s));
  EXPECT_EQ(dropped(codel, 20ms, kStart + 1s, 99ms), 0);
}

// RFC 8289 section 5.6: the rate that was needed a moment ago will be needed again.
TEST(Codel, RemembersWhereItWas) {
  Codel fresh;
  Codel seasoned;
  dropped(seasoned, 20ms, kStart, 2s);
  seasoned.should_drop(1ms, false, kStart + 2s);
  EXPECT_GT(dropped(seasoned, 20ms, kStart + 2s, 500ms), dropped(fresh, 20ms, kStart, 500ms));
}

TEST(Codel, SparesTheLastPacket) {
  Codel codel;
  for (Timestamp now = kStart; now < kStart + 1s; now += 1ms) {
    ASSERT_FALSE(codel.should_drop(200ms, true, now));
  }
}

}  // namespace
}  // namespace qdt::tunnel
