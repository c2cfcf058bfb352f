#include "load/histogram.h"

#include <gtest/gtest.h>

namespace qdt::load {
namespace {

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram times;
  EXPECT_EQ(times.count(), 0u);
  EXPECT_EQ(times.percentile(0.5), Duration::zero());
  EXPECT_EQ(times.most(), Duration::zero());
}

TEST(Histogram, TellsPercentilesToASixtyFourth) {
  Histogram times;
  for (int i = 1; i <= 1000; ++i) times.add(i * 1ms);
  EXPECT_EQ(times.count(), 1000u);
  EXPECT_EQ(times.most(), 1s);
  for (const double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double exact = share * 1000;
    const double told = std::chrono::duration<double, std::milli>(times.percentile(share)).count();
    EXPECT_GE(told, exact) << share;
    EXPECT_LE(told, exact * (1 + 1.0 / 64) + 1e-6) << share;
  }
}

TEST(Histogram, TakesTheSmallestAndTheLargest) {
  for (const Duration time : {0ns, 1ns, 63ns, 64ns, 127ns, 128ns, 129ns}) {
    Histogram times;
    times.add(time);
    EXPECT_EQ(times.percentile(1), time);
  }
  Histogram times;
  times.add(1000h);
  EXPECT_EQ(times.most(), 1000h);
  EXPECT_GE(times.percentile(0.5), 24h);  // the last bucket's
}

}  // namespace
}  // namespace qdt::load
