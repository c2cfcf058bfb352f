#include "client/race.h"

#include <gtest/gtest.h>

namespace qdt::client {
namespace {

constexpr Timestamp kStart{Duration(100s)};

SocketAddress server(const char* address) {
  return {*IpAddress::parse(address), 443};
}
const SocketAddress kA6 = server("2001:db8::1");
const SocketAddress kB6 = server("2001:db8::2");
const SocketAddress kA4 = server("192.0.2.1");
const SocketAddress kB4 = server("192.0.2.2");

TEST(Race, TakesFamiliesInTurn) {
  Race race;
  race.add(std::vector{kA6, kB6, kA4, kB4});
  EXPECT_EQ(race.next(kStart), kA6);
  EXPECT_EQ(race.next(kStart + 250ms), kA4);
  EXPECT_EQ(race.next(kStart + 500ms), kB6);
  EXPECT_EQ(race.next(kStart + 750ms), kB4);
  EXPECT_EQ(race.next(kStart + 1000ms), std::nullopt);
}

TEST(Race, GivesEachAHeadStart) {
  Race race;
  race.add(std::vector{kA6, kA4});
  EXPECT_EQ(race.next(kStart), kA6);
  EXPECT_EQ(race.next(kStart + 249ms), std::nullopt);
  EXPECT_EQ(race.next_due(), kStart + 250ms);
  EXPECT_EQ(race.next(kStart + 250ms), kA4);
  EXPECT_EQ(race.next_due(), kNever);
}

TEST(Race, DoesNotWaitForOneThatHasFailed) {
  Race race;
  race.add(std::vector{kA6, kA4});
  EXPECT_EQ(race.next(kStart), kA6);
  race.on_failed(kA6);
  EXPECT_EQ(race.next(kStart + 1ms), kA4);
}

TEST(Race, IsLostWhenAllHaveFailed) {
  Race race;
  race.add(std::vector{kA6, kA4});
  EXPECT_TRUE(race.next(kStart));
  race.on_failed(kA6);
  EXPECT_FALSE(race.is_lost());
  EXPECT_TRUE(race.next(kStart));
  EXPECT_FALSE(race.is_lost());
  race.on_failed(kA4);
  EXPECT_TRUE(race.is_lost());
}

TEST(Race, TriesAgainAtOnceOneThatWasCutOff) {
  Race race;
  race.add(std::vector{kA6, kA4});
  EXPECT_EQ(race.next(kStart), kA6);
  race.on_cut_off(kA6);
  EXPECT_EQ(race.next(kStart + 1ms), kA6);
  EXPECT_EQ(race.next(kStart + 251ms), kA4);
}

TEST(Race, TriesAnAddressThatComesLaterAndNoneTwice) {
  Race race;
  race.add(std::vector{kA4});
  EXPECT_EQ(race.next(kStart), kA4);
  race.add(std::vector{kA4, kB4});
  EXPECT_EQ(race.next(kStart + 250ms), kB4);
  EXPECT_EQ(race.next(kStart + 500ms), std::nullopt);
}

}  // namespace
}  // namespace qdt::client
