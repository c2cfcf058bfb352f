#include "tunnel/token_bucket.h"

#include <gtest/gtest.h>

namespace qdt::tunnel {
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

TEST(TokenBucket, WithoutARateIsUnlimited) {
  TokenBucket bucket({});
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(bucket.take(kStart));
}

}  // namespace
}  // namespace qdt::tunnel
