#include "access/shared_rate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace qdt::access {
namespace {

constexpr Timestamp kStart{Duration(1h)};

// How many of `offered` packets pass that come evenly over `time` to each share in turn.
std::size_t passed(std::vector<RateShare>& shares, int offered, Duration time,
                   Timestamp start = kStart) {
  std::size_t count = 0;
  for (int i = 0; i < offered; ++i) {
    const Timestamp now = start + time * i / offered;
    count += shares[static_cast<std::size_t>(i) % shares.size()].take(now);
  }
  return count;
}

TEST(RateShare, LetsEverythingPassWithoutALimit) {
  SharedRate rate;
  std::vector<RateShare> none(1);
  std::vector<RateShare> unlimited(1, RateShare(&rate, {}));
  EXPECT_EQ(passed(none, 10000, 1s), 10000u);
  EXPECT_EQ(passed(unlimited, 10000, 1s), 10000u);
}

TEST(RateShare, KeepsToTheRateAndTheBurst) {
  SharedRate rate;
  std::vector<RateShare> one(1, RateShare(&rate, {.per_second = 1000, .burst = 200}));
  EXPECT_NEAR(static_cast<double>(passed(one, 20000, 2s)), 2200, 30);
  EXPECT_NEAR(static_cast<double>(passed(one, 20000, 2s, kStart + 2s)), 2000, 30);
}

TEST(RateShare, IsOneRateForAllSessions) {
  SharedRate rate;
  std::vector<RateShare> five(5, RateShare(&rate, {.per_second = 1000, .burst = 200}));
  EXPECT_NEAR(static_cast<double>(passed(five, 20000, 2s)), 2200, 130);
}

TEST(RateShare, GivesOneSessionAllOfIt) {
  SharedRate rate;
  std::vector<RateShare> idle(3, RateShare(&rate, {.per_second = 1000, .burst = 200}));
  std::vector<RateShare> busy(1, RateShare(&rate, {.per_second = 1000, .burst = 200}));
  EXPECT_EQ(passed(idle, 3, 1ms), 3u);
  EXPECT_NEAR(static_cast<double>(passed(busy, 20000, 2s, kStart + 1ms)), 2200, 100);
}

TEST(RateShare, KeepsToALimitOfOnePacket) {
  SharedRate rate;
  std::vector<RateShare> two(2, RateShare(&rate, {.per_second = 1, .burst = 1}));
  EXPECT_EQ(passed(two, 1000, 10s), 10u);
}

TEST(RateShare, TakesNoPacketsOfALimitThatIsNextToNone) {
  SharedRate rate;
  std::vector<RateShare> one(1, RateShare(&rate, {.per_second = 1e-300, .burst = 1e300}));
  EXPECT_GE(passed(one, 1000, 10s), 1u);
}

TEST(SharedRate, IsExactForManyThreads) {
  SharedRate rate;
  constexpr RateLimit kLimit{.per_second = 1, .burst = 1000};
  std::atomic<int> count = 0;
  std::vector<std::thread> shards;
  for (int i = 0; i < 4; ++i) {
    shards.emplace_back([&] {
      RateShare share(&rate, kLimit);
      for (int j = 0; j < 1000; ++j) count += share.take(kStart);
    });
  }
  for (std::thread& shard : shards) shard.join();
  EXPECT_EQ(count, 1000);
}

}  // namespace
}  // namespace qdt::access
