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
  EXPECT_FALSE(paths.try_until(from(1), 3s, kStart + 10min));
}

TEST(TriedPaths, KnowsNothingAgainstOneThatAnswered) {
  TriedPaths paths;
  paths.try_until(from(1), 3s, kStart);
  paths.on_answer(from(1));
  EXPECT_TRUE(paths.try_until(from(1), 3s, kStart + 1h));
}

TEST(TriedPaths, ForgetsAfterTenMinutes) {
  TriedPaths paths;
  paths.give_up(from(1), kStart);
  EXPECT_FALSE(paths.may_try(from(1), kStart));
  EXPECT_TRUE(paths.try_until(from(1), 3s, kStart + 10min));
}

TEST(TriedPaths, TriesNoMoreThanItRemembers) {
  TriedPaths paths;
  std::uint16_t port = 0;
  while (port < TriedPaths::kMaxTried) EXPECT_TRUE(paths.try_until(from(++port), 3s, kStart));
  EXPECT_FALSE(paths.try_until(from(100), 3s, kStart + 2s));
  EXPECT_TRUE(paths.try_until(from(100), 3s, kStart + 3s)) << "the oldest is given up by then";
  EXPECT_FALSE(paths.try_until(from(2), 3s, kStart + 3s));
}

}  // namespace
}  // namespace qdt::quic
