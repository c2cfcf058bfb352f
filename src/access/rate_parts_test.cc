#include "access/rate_parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace qdt::access {
namespace {

using Use = RateParts::Use;
constexpr std::uint64_t kRate = 1000;

TEST(RateParts, GivesTheOnlySessionEverything) {
  RateParts parts;
  EXPECT_EQ(parts.part(kRate, {}), kRate);
  const Use all{.rate = kRate, .is_wanting = true};
  parts.replace({}, all);
  EXPECT_EQ(parts.part(kRate, all), kRate);
}

TEST(RateParts, DividesEquallyAmongThoseThatWantMore) {
  RateParts parts;
  const Use one{.rate = 700, .is_wanting = true};
  const Use other{.rate = 300, .is_wanting = true};
  parts.replace({}, one);
  parts.replace({}, other);
  EXPECT_EQ(parts.part(kRate, one), 500u);
  EXPECT_EQ(parts.part(kRate, other), 500u);
  EXPECT_EQ(parts.part(kRate, {}), 333u);  // a third one would have so much
}

TEST(RateParts, LeavesToOthersWhatASessionDoesNotUse) {
  RateParts parts;
  const Use modest{.rate = 100, .is_wanting = false};
  const Use wanting{.rate = 900, .is_wanting = true};
  parts.replace({}, modest);
  parts.replace({}, wanting);
  EXPECT_EQ(parts.part(kRate, wanting), 900u);
  EXPECT_EQ(parts.part(kRate, modest), 500u);
}

TEST(RateParts, ForgetsASessionThatEnds) {
  RateParts parts;
  const Use one{.rate = 700, .is_wanting = true};
  parts.replace({}, one);
  parts.replace(one, {});
  EXPECT_EQ(parts.part(kRate, {}), kRate);
}

TEST(RateParts, LeavesNobodyWithNothing) {
  RateParts parts;
  parts.replace({}, {.rate = 5 * kRate, .is_wanting = false});
  EXPECT_GE(parts.part(kRate, {}), kRate / 4);
  EXPECT_GE(parts.part(1, {}), 1u);
}

// Sessions of different demands, which tell once a second and send at what they were told.
TEST(RateParts, SettlesAtEqualPartsOfWhatTheModestLeave) {
  RateParts parts;
  constexpr std::array<std::uint64_t, 4> kDemands = {50, 10'000, 10'000, 200};
  std::array<Use, 4> told;
  std::array<std::uint64_t, 4> allowed;
  for (std::size_t i = 0; i < told.size(); ++i) allowed[i] = parts.part(kRate, told[i]);
  std::array<std::uint64_t, 4> sent{};
  for (int second = 0; second < 10; ++second) {
    for (std::size_t i = 0; i < told.size(); ++i) {
      sent[i] = std::min(kDemands[i], allowed[i]);
      const Use now{.rate = sent[i], .is_wanting = sent[i] >= allowed[i] / 4 * 3};
      parts.replace(told[i], now);
      told[i] = now;
      allowed[i] = parts.part(kRate, now);
    }
  }
  EXPECT_EQ(sent[0], 50u);
  EXPECT_EQ(sent[3], 200u);
  EXPECT_NEAR(static_cast<double>(sent[1]), 375, 20);
  EXPECT_NEAR(static_cast<double>(sent[2]), 375, 20);
}

}  // namespace
}  // namespace qdt::access
