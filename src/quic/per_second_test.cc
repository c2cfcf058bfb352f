#include "quic/per_second.h"

#include <gtest/gtest.h>

namespace qdt::quic {
namespace {

TEST(PerSecond, GivesSoManyAndNoMore) {
  PerSecond two(2);
  const Timestamp now{10s};
  EXPECT_TRUE(two.take(now));
  EXPECT_FALSE(two.is_used_up(now));
  EXPECT_TRUE(two.take(now + 500ms));
  EXPECT_TRUE(two.is_used_up(now + 999ms));
  EXPECT_FALSE(two.take(now + 999ms));
}

TEST(PerSecond, BeginsAnewEachSecond) {
  PerSecond one(1);
  const Timestamp now{10s};
  EXPECT_TRUE(one.take(now));
  EXPECT_TRUE(one.take(now + 1s));
  EXPECT_FALSE(one.take(now + 1s));
}

}  // namespace
}  // namespace qdt::quic
