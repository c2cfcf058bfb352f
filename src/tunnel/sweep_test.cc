#include "tunnel/sweep.h"

#include <gtest/gtest.h>

#include <set>

namespace qdt::tunnel {
namespace {

constexpr Timestamp kStart{1h};

TEST(Sweep, TakesAFewInOneGo) {
  for (const std::size_t sessions : {std::size_t{0}, std::size_t{1}, Sweep::kSlice}) {
    Sweep sweep;
    sweep.begin(sessions, kStart);
    std::size_t seen = 0;
    for (std::size_t count = sweep.take_slice(sessions); count > 0; --count, ++seen) sweep.next();
    EXPECT_EQ(seen, sessions);
    EXPECT_TRUE(sweep.is_over());
  }
}

TEST(Sweep, SpreadsManyOverASecond) {
  constexpr std::size_t kSessions = 10'000;
  Sweep sweep;
  sweep.begin(kSessions, kStart);
  std::set<std::size_t> seen;
  std::size_t slices = 0;
  Timestamp now = kStart;
  for (; !sweep.is_over(); ++slices) {
    if (slices > 0) now = sweep.next_slice(now);
    const std::size_t count = sweep.take_slice(kSessions);
    EXPECT_LE(count, Sweep::kSlice);
    for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(seen.insert(sweep.next()).second);
  }
  EXPECT_EQ(seen.size(), kSessions);
  EXPECT_EQ(*seen.rbegin(), kSessions - 1);
  EXPECT_GE(now, sweep.began() + 900ms);
  EXPECT_LT(now, sweep.began() + Sweep::kPeriod);
}

// As a table of sessions is: where one goes, the last takes its place.
TEST(Sweep, MissesNobodyWhereSomeGoMeanwhile) {
  std::vector<int> table(1000);
  for (int i = 0; i < 1000; ++i) table[static_cast<std::size_t>(i)] = i;
  Sweep sweep;
  sweep.begin(table.size(), kStart);
  std::set<int> seen;
  std::size_t victim = 0;
  while (!sweep.is_over()) {
    for (std::size_t count = sweep.take_slice(table.size()); count > 0; --count) {
      seen.insert(table[sweep.next()]);
    }
    for (int i = 0; i < 10; ++i) {
      victim = (victim + 377) % table.size();
      table[victim] = table.back();
      table.pop_back();
    }
  }
  for (const int session : table) EXPECT_TRUE(seen.contains(session)) << session;
}

TEST(Sweep, EndsWhereAllHaveGone) {
  Sweep sweep;
  sweep.begin(1000, kStart);
  EXPECT_EQ(sweep.take_slice(0), 0u);
  EXPECT_TRUE(sweep.is_over());
}

}  // namespace
}  // namespace qdt::tunnel
