#include "wire/replay_window.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace qdt::wire {
namespace {

using Window = ReplayWindow<2048>;

TEST(ReplayWindow, AcceptsACounterOnce) {
  Window window;
  EXPECT_TRUE(window.accepts(0));
  window.mark(0);
  EXPECT_FALSE(window.accepts(0));
  EXPECT_TRUE(window.accepts(1));
}

TEST(ReplayWindow, DoesNotMoveUntilMarked) {
  Window window;
  EXPECT_TRUE(window.accepts(1'000'000));
  EXPECT_TRUE(window.accepts(0));
  EXPECT_EQ(window.highest(), 0u);
}

TEST(ReplayWindow, ReachesExactly2048Counters) {
  Window window;
  window.mark(5000);
  EXPECT_TRUE(window.accepts(5000 - 2047));
  EXPECT_FALSE(window.accepts(5000 - 2048));
  EXPECT_FALSE(window.accepts(0));
}

TEST(ReplayWindow, ForgetsNothingWithinReachWhenItMoves) {
  Window window;
  window.mark(100);
  window.mark(2100);
  EXPECT_FALSE(window.accepts(100));
  EXPECT_TRUE(window.accepts(101));
}

TEST(ReplayWindow, SurvivesLeapsAndTheLastCounter) {
  Window window;
  window.mark(3);
  window.mark(~std::uint64_t{0});
  EXPECT_FALSE(window.accepts(~std::uint64_t{0}));
  EXPECT_TRUE(window.accepts(~std::uint64_t{0} - 2047));
  EXPECT_FALSE(window.accepts(3));
}

TEST(ReplayWindow, AgreesWithAPlainSetOnRandomCounters) {
  constexpr unsigned kSeed = 20261122;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  Window window;
  std::set<std::uint64_t> seen;
  std::uint64_t highest = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t around = highest > 3000 ? highest - 3000 : 0;
    const std::uint64_t counter = around + random() % (random() % 50 == 0 ? 9000 : 3010);
    const bool expected =
        !seen.contains(counter) && (counter > highest || highest - counter < 2048);
    ASSERT_EQ(window.accepts(counter), expected) << counter << " after " << highest;
    if (!expected) continue;
    window.mark(counter);
    seen.insert(counter);
    highest = std::max(highest, counter);
  }
}

}  // namespace
}  // namespace qdt::wire
