#include "quic/source_limit.h"

#include <gtest/gtest.h>

#include <string>

namespace qdt::quic {
namespace {

constexpr Timestamp kStart = Timestamp(1h);

IpAddress ip(const std::string& text) {
  return *IpAddress::parse(text);
}

class SourceLimitTest : public ::testing::Test {
 protected:
  // How many of `count` pass, all at the same moment.
  int pass(const std::string& source, int count) {
    int passed = 0;
    for (int i = 0; i < count; ++i) passed += limit.take(ip(source), now) ? 1 : 0;
    return passed;
  }
  // Of `count` sources, each with one.
  int pass_all(std::uint32_t first, std::uint32_t count) {
    int passed = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      passed += limit.take(IpAddress::v4(first + i), now) ? 1 : 0;
    }
    return passed;
  }

  SourceLimit limit{
      {.all = {.per_second = 100, .burst = 100}, .each = {.per_second = 10, .burst = 20}}, 0x1234};
  Timestamp now = kStart;
};

TEST_F(SourceLimitTest, ASourceHasALimitOfItsOwn) {
  EXPECT_EQ(pass("192.0.2.1", 50), 20);
  EXPECT_EQ(pass("192.0.2.2", 50), 20);
  now += 1s;
  EXPECT_EQ(pass("192.0.2.1", 50), 10);
}

TEST_F(SourceLimitTest, A48IsOneSource) {
  EXPECT_EQ(pass("2001:db8:1:1::1", 20), 20);
  EXPECT_EQ(pass("2001:db8:1:2::1", 20), 0);
  EXPECT_EQ(pass("2001:db8:2:1::1", 20), 20);
}

TEST_F(SourceLimitTest, WhatOthersUseUpKeepsNobodyOut) {
  for (const char* flood : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5",
                            "192.0.2.6", "192.0.2.7"}) {
    pass(flood, 1000);
  }
  EXPECT_EQ(pass("198.51.100.1", 1), 1) << "its first for a second";
  EXPECT_EQ(pass("198.51.100.1", 1), 0) << "and the next shares what there is";
  now += 1s;
  EXPECT_EQ(pass("198.51.100.1", 1), 1);
}

TEST_F(SourceLimitTest, ManySourcesTogetherPassNoMoreThanTheirGroups) {
  const int passed = pass_all(0x0a000000, 100'000);
  EXPECT_LE(passed, static_cast<int>(SourceLimit::kGroups) + 100);
  EXPECT_GT(passed, static_cast<int>(SourceLimit::kGroups) * 9 / 10);
}

TEST_F(SourceLimitTest, ClocksThatStandStillRefillNothing) {
  EXPECT_EQ(pass("192.0.2.1", 50), 20);
  now -= 1h;
  EXPECT_EQ(pass("192.0.2.1", 50), 0);
}

}  // namespace
}  // namespace qdt::quic
