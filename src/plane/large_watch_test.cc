#include "plane/large_watch.h"

#include <gtest/gtest.h>

namespace qdt::plane {
namespace {

// The verdict when so many large packets were sent and the peer reported this.
bool suspects(int larges, const PathSample& heard, Duration rtt = 40ms) {
  LargeWatch watch;
  for (int i = 0; i < larges; ++i) watch.on_sent(1400);
  constexpr Timestamp kStart{1h};
  EXPECT_FALSE(watch.on_sample(heard, false, rtt, kStart)) << "too early to tell";
  EXPECT_FALSE(watch.on_sample({}, false, rtt, kStart + std::max<Duration>(200ms, rtt) - 1ns));
  return watch.on_sample({}, false, rtt, kStart + std::max<Duration>(200ms, rtt));
}

TEST(LargeWatch, SuspectsAHoleWhereSmallPacketsAloneArrive) {
  EXPECT_TRUE(suspects(10, {.bytes = 20 * 60, .packets = 20, .lost = 10}));
  EXPECT_TRUE(suspects(10, {.bytes = 20 * 60, .packets = 20, .lost = 7}));
  EXPECT_TRUE(suspects(10, {.bytes = 20 * 60, .packets = 20, .lost = 10}, 1s));
}

TEST(LargeWatch, SuspectsNothingOfOrdinaryLoss) {
  EXPECT_FALSE(suspects(10, {.bytes = 20 * 60, .packets = 20, .lost = 6}));
  EXPECT_FALSE(suspects(3, {.bytes = 20 * 60, .packets = 20, .lost = 3}));
  EXPECT_FALSE(suspects(0, {.bytes = 20 * 60, .packets = 20, .lost = 10}));
}

TEST(LargeWatch, SuspectsNothingWhereLargeOnesArrive) {
  EXPECT_FALSE(suspects(10, {.bytes = 20 * 1400, .packets = 20, .lost = 10}));
}

TEST(LargeWatch, BeginsAnewAfterEachLook) {
  LargeWatch watch;
  for (int i = 0; i < 10; ++i) watch.on_sent(1400);
  const PathSample heard{.bytes = 600, .packets = 10, .lost = 10};
  EXPECT_FALSE(watch.on_sample(heard, false, 0ms, Timestamp{1s}));
  EXPECT_TRUE(watch.on_sample({}, false, 0ms, Timestamp{2s}));
  EXPECT_FALSE(watch.on_sample(heard, false, 0ms, Timestamp{3s}));
  EXPECT_FALSE(watch.on_sample(heard, false, 0ms, Timestamp{4s})) << "no large one was sent since";
}

// One large packet each round, and `smalls` of 100 bytes; what of them arrives.
struct Round {
  std::uint32_t smalls = 0;
  std::uint32_t smalls_arrived = 0;
  bool large_arrives = false;
};
bool suspects(LargeWatch& watch, const Round& round) {
  static Timestamp now{1h};
  now += 1s;
  watch.on_sent(1400);
  for (std::uint32_t i = 0; i < round.smalls; ++i) watch.on_sent(100);
  const std::uint32_t arrived = round.smalls_arrived + round.large_arrives;
  return watch.on_sample({.bytes = 100 * round.smalls_arrived + (round.large_arrives ? 1400U : 0U),
                          .packets = arrived,
                          .lost = round.smalls + 1 - arrived},
                         true, 40ms, now);
}

TEST(LargeWatch, SuspectsAHoleAfterTwoLargeOnesFarApart) {
  LargeWatch watch;
  EXPECT_FALSE(suspects(watch, {.smalls = 20, .smalls_arrived = 20}));
  EXPECT_TRUE(suspects(watch, {.smalls = 20, .smalls_arrived = 20}));
  EXPECT_FALSE(suspects(watch, {.smalls = 20, .smalls_arrived = 20})) << "it began anew";
  EXPECT_TRUE(suspects(watch, {.smalls = 20, .smalls_arrived = 19}));
}

TEST(LargeWatch, SuspectsNothingWhenOneComesThrough) {
  LargeWatch watch;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(suspects(watch, {.smalls = 20, .smalls_arrived = 20}));
    EXPECT_FALSE(suspects(watch, {.smalls = 20, .smalls_arrived = 18, .large_arrives = true}));
  }
}

TEST(LargeWatch, SuspectsNothingWhileMuchIsUnderWay) {
  LargeWatch watch;
  for (int i = 0; i < 100; ++i) {
    for (int j = 0; j < 10; ++j) watch.on_sent(1400);
    EXPECT_FALSE(watch.on_sample({.bytes = 8 * 1400, .packets = 8, .lost = 2}, false, 40ms,
                                 Timestamp{1h + i * 10ms}));
  }
}

}  // namespace
}  // namespace qdt::plane
