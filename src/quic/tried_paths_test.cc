#include "quic/tried_paths.h"

#include <gtest/gtest.h>

namespace qdt::quic {
namespace {

constexpr Timestamp kStart{1000s};

UdpPath from(std::uint16_t port) {
  return {{IpAddress::v4(1), 443}, {IpAddress::v4(2), port}};
}

TEST(TriedPaths, GivesAnAddressUpAfterItsTime) {
  TriedPaths paths;
  EXPECT_TRUE(paths.try_until(from(1), 3s, kStart));
  EXPECT_TRUE(paths.try_until(from(1), 3s, kStart + 2999ms));
  EXPECT_TRUE(paths.may_try(from(1), kStart + 2999ms));
  EXPECT_FALSE(paths.try_until(from(1), 3s, kStart + 3s));
  EXPECT_FALSE(paths.may_try(from(1), kStart + 3s));
  EXPECT_FALSE(paths.try_until(from(1), 3s, kStart + 12s));
}

TEST(TriedPaths, TriesItAgainMoreAndMoreRarely) {
  TriedPaths paths;
  Timestamp now = kStart;
  for (const Duration rest : {10s, 20s, 40s, 80s, 160s, 320s, 600s, 600s}) {
    EXPECT_EQ(paths.try_until(from(1), 3s, now), now + 3s);
    EXPECT_EQ(paths.try_until(from(1), 3s, now + 2s), now + 3s) << "no longer for asking again";
    now += 3s + rest;
    EXPECT_FALSE(paths.try_until(from(1), 3s, now - 1ns)) << rest.count();
    EXPECT_TRUE(paths.may_try(from(1), now));
  }
}

TEST(TriedPaths, GivesUpWhatWasGivenUpBefore) {
  TriedPaths paths;
  paths.give_up(from(1), kStart);
  paths.give_up(from(1), kStart + 5s);  // that is known
  EXPECT_FALSE(paths.may_try(from(1), kStart + 9s));
  EXPECT_TRUE(paths.may_try(from(1), kStart + 10s));
  paths.give_up(from(1), kStart + 10s);
  EXPECT_FALSE(paths.may_try(from(1), kStart + 29s));
  EXPECT_TRUE(paths.may_try(from(1), kStart + 30s));
}

TEST(TriedPaths, KnowsNothingAgainstOneThatAnswered) {
  TriedPaths paths;
  paths.try_until(from(1), 3s, kStart);
  paths.on_answer(from(1));
  EXPECT_TRUE(paths.try_until(from(1), 3s, kStart + 1h));
}

TEST(TriedPaths, ForgetsTenMinutesLater) {
  TriedPaths paths;
  paths.try_until(from(1), 3s, kStart);
  EXPECT_EQ(paths.try_until(from(1), 3s, kStart + 13s + 10min), kStart + 16s + 10min);
  EXPECT_TRUE(paths.try_until(from(1), 3s, kStart + 26s + 10min)) << "after 10 s again";
}

TEST(TriedPaths, TriesNoMoreThanItRemembers) {
  TriedPaths paths;
  std::uint16_t port = 0;
  while (port < TriedPaths::kMaxTried) EXPECT_TRUE(paths.try_until(from(++port), 3s, kStart));
  EXPECT_FALSE(paths.try_until(from(100), 3s, kStart + 2s));
  EXPECT_TRUE(paths.try_until(from(100), 3s, kStart + 3s)) << "the oldest is given up by then";
  EXPECT_FALSE(paths.try_until(from(2), 3s, kStart + 3s));
}

// Others' addresses do not make it forget one that was given up often.
TEST(TriedPaths, RemembersLongestWhatIsGivenUpForLongest) {
  TriedPaths paths;
  paths.try_until(from(1), 3s, kStart);
  paths.try_until(from(1), 3s, kStart + 13s);
  for (std::uint16_t port = 2; port < 100; ++port) {
    paths.try_until(from(port), Duration::zero(), kStart + 17s);
  }
  EXPECT_FALSE(paths.may_try(from(1), kStart + 30s));
}

}  // namespace
}  // namespace qdt::quic
