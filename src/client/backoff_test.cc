#include "client/backoff.h"

#include <gtest/gtest.h>

#include "support/seeded_random.h"

namespace qdt::client {
namespace {

TEST(Backoff, StaysBetweenItsBoundsWhateverIsDrawn) {
  testing::SeededRandom random(1);
  Backoff backoff({.first = 200ms, .max = 30s});
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = backoff.next(random);
    EXPECT_GE(delay, 200ms);
    EXPECT_LE(delay, 30s);
  }
}

TEST(Backoff, FirstDelayIsAtMostThreeTimesTheShortest) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    testing::SeededRandom random(seed);
    EXPECT_LE(Backoff({.first = 200ms}).next(random), 600ms);
  }
}

TEST(Backoff, GetsLonger) {
  Duration early{};
  Duration late{};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    testing::SeededRandom random(seed);
    Backoff backoff({.first = 200ms, .max = 30s});
    early += backoff.next(random);
    for (int i = 0; i < 20; ++i) backoff.next(random);
    late += backoff.next(random);
  }
  EXPECT_GT(late, 20 * early);
}

TEST(Backoff, ClientsOfOneServerDoNotComeTogether) {
  testing::SeededRandom one(1);
  testing::SeededRandom other(2);
  EXPECT_NE(Backoff({}).next(one), Backoff({}).next(other));
}

TEST(Backoff, BeginsAnewAfterAReset) {
  testing::SeededRandom random(1);
  Backoff backoff({.first = 200ms, .max = 30s});
  for (int i = 0; i < 50; ++i) backoff.next(random);
  backoff.reset();
  EXPECT_LE(backoff.next(random), 600ms);
}

}  // namespace
}  // namespace qdt::client
