#include "base/token_bucket.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

constexpr Timestamp kStart{};

TEST(TokenBucket, AllowsItsBurstThenItsRate) {
  TokenBucket bucket({.per_second = 10, .burst = 3}, kStart);
  EXPECT_TRUE(bucket.take(kStart));
  EXPECT_TRUE(bucket.take(kStart));
  EXPECT_TRUE(bucket.take(kStart));
  EXPECT_FALSE(bucket.take(kStart));
  EXPECT_FALSE(bucket.take(kStart + 99ms));
  EXPECT_TRUE(bucket.take(kStart + 100ms));
  EXPECT_FALSE(bucket.take(kStart + 100ms));
}

TEST(TokenBucket, SavesNoMoreThanItsBurst) {
  TokenBucket bucket({.per_second = 10, .burst = 2}, kStart);
  const Timestamp later = kStart + 1h;
  EXPECT_TRUE(bucket.take(later));
  EXPECT_TRUE(bucket.take(later));
  EXPECT_FALSE(bucket.take(later));
}

TEST(TokenBucket, AllowsAtLeastOneAtATime) {
  TokenBucket bucket({.per_second = 1, .burst = 0}, kStart);
  EXPECT_TRUE(bucket.take(kStart));
  EXPECT_FALSE(bucket.take(kStart));
  EXPECT_TRUE(bucket.take(kStart + 1s));
}

TEST(TokenBucket, IsEmptyUntilTheNextIsDue) {
  TokenBucket bucket({.per_second = 2, .burst = 2}, kStart);
  EXPECT_TRUE(bucket.take(kStart));
  EXPECT_FALSE(bucket.is_empty(kStart));
  EXPECT_TRUE(bucket.take(kStart)) << "to ask takes nothing";
  EXPECT_TRUE(bucket.is_empty(kStart + 499ms));
  EXPECT_FALSE(bucket.is_empty(kStart + 500ms));
}

TEST(TokenBucket, LosesNothingToAnEarlierTime) {
  TokenBucket bucket({.per_second = 1, .burst = 2}, kStart);
  EXPECT_TRUE(bucket.take(kStart + 60s));
  EXPECT_TRUE(bucket.take(kStart + 50s));
  EXPECT_FALSE(bucket.take(kStart + 60s)) << "and gains nothing by it";
  EXPECT_TRUE(bucket.take(kStart + 61s));
}

TEST(TokenBucket, LeavesSomeBesideABurstEachSecond) {
  TokenBucket bucket({.per_second = 100, .burst = 100}, kStart);
  int others = 0;
  for (int second = 10; second < 20; ++second) {
    const Timestamp now{Duration(1s) * second};
    for (int i = 0; i < 5000; ++i) bucket.take(now);
    others += bucket.take(now + 500ms) ? 1 : 0;
  }
  EXPECT_EQ(others, 10);
}

TEST(TokenBucket, WithoutARateIsUnlimited) {
  TokenBucket bucket({});
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(bucket.take(kStart));
  EXPECT_FALSE(bucket.is_empty(kStart));
}

TEST(TokenBucket, KeepsWhatIsLeftUnderAnotherLimit) {
  TokenBucket bucket({.per_second = 10, .burst = 5}, kStart);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(bucket.take(kStart));
  bucket.use({.per_second = 1, .burst = 20}, kStart + 100ms);
  EXPECT_TRUE(bucket.take(kStart + 100ms));
  EXPECT_TRUE(bucket.take(kStart + 100ms)) << "of the old rate's tenth of a second";
  EXPECT_FALSE(bucket.take(kStart + 100ms));
  EXPECT_TRUE(bucket.take(kStart + 1100ms));
  EXPECT_FALSE(bucket.take(kStart + 1100ms));
}

TEST(TokenBucket, HasNoMoreThanTheNewBurst) {
  TokenBucket bucket({.per_second = 10, .burst = 5}, kStart);
  bucket.use({.per_second = 10, .burst = 2}, kStart);
  EXPECT_TRUE(bucket.take(kStart));
  EXPECT_TRUE(bucket.take(kStart));
  EXPECT_FALSE(bucket.take(kStart));
}

TEST(TokenBucket, BeginsWithABurstWhenThereWasNoLimit) {
  TokenBucket bucket(RateLimit{}, kStart);
  bucket.use({.per_second = 1, .burst = 3}, kStart + 1h);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(kStart + 1h));
  EXPECT_FALSE(bucket.take(kStart + 1h));
  bucket.use({}, kStart + 1h);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(bucket.take(kStart + 1h));
}

}  // namespace
}  // namespace qdt
