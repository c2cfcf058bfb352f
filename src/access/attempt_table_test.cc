#include "access/attempt_table.h"

#include <gtest/gtest.h>

namespace qdt::access {
namespace {

constexpr Timestamp kStart{Duration(1h)};

TEST(PacedLimit, GivesABurstAndThenATurnEachInterval) {
  const PacedLimit limit({.per_second = 2, .burst = 3});
  Timestamp next_turn;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.take(next_turn, kStart, 2), 0s);
  EXPECT_EQ(limit.take(next_turn, kStart, 2), 500ms);
  EXPECT_EQ(limit.take(next_turn, kStart, 2), 1s);
  EXPECT_EQ(limit.take(next_turn, kStart, 2), std::nullopt);
  EXPECT_EQ(limit.take(next_turn, kStart + 1s, 2), 500ms);
  EXPECT_EQ(limit.take(next_turn, kStart + 1h, 2), 0s);
}

TEST(PacedLimit, TakesNothingFromOneThatIsRefused) {
  const PacedLimit limit({.per_second = 1, .burst = 1});
  Timestamp next_turn;
  EXPECT_EQ(limit.take(next_turn, kStart, 0), 0s);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(limit.take(next_turn, kStart, 0), std::nullopt);
  EXPECT_EQ(limit.take(next_turn, kStart + 1s, 0), 0s);
}

TEST(PacedLimit, BearsNumbersWithoutSense) {
  const PacedLimit slow({.per_second = 1e-300, .burst = 1e300});
  Timestamp next_turn;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(slow.take(next_turn, kStart, 512), 0s);
  const PacedLimit fast({.per_second = 1e300, .burst = 0});
  EXPECT_EQ(fast.take(next_turn = {}, kStart, 0), 0s);
}

TEST(AttemptTable, LimitsEachKeyByItself) {
  AttemptTable table({.limit = {.per_second = 1, .burst = 1}, .entries = 64});
  EXPECT_EQ(table.take(1, kStart, 0), 0s);
  EXPECT_EQ(table.take(1, kStart, 0), std::nullopt);
  EXPECT_EQ(table.take(2, kStart, 0), 0s);
  EXPECT_EQ(table.take(0, kStart, 0), 0s);
  EXPECT_EQ(table.take(0, kStart, 0), std::nullopt);
}

TEST(AttemptTable, LimitsNobodyWithoutALimit) {
  AttemptTable table({.limit = {}, .entries = 64});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(table.take(1, kStart, 0), 0s);
}

TEST(AttemptTable, ForgetsAKeyAfterItsTtl) {
  AttemptTable table({.limit = {.per_second = 0.0001, .burst = 1}, .ttl = 60s, .entries = 64});
  EXPECT_EQ(table.take(1, kStart, 0), 0s);
  EXPECT_EQ(table.take(1, kStart + 59s, 0), std::nullopt);
  EXPECT_EQ(table.take(1, kStart + 118s, 0), std::nullopt);
  EXPECT_EQ(table.take(1, kStart + 178s, 0), 0s);
}

TEST(AttemptTable, PushesOutWhoOwesLeast) {
  AttemptTable table({.limit = {.per_second = 1, .burst = 1}, .entries = 8});
  for (std::uint64_t key = 1; key <= 8; ++key) {
    for (std::uint64_t i = 0; i < key; ++i) EXPECT_TRUE(table.take(key, kStart, 100));
  }
  EXPECT_EQ(table.take(9, kStart, 100), 0s);  // in the place of 1
  EXPECT_EQ(table.take(8, kStart, 100), 8s);
}

TEST(AttemptTable, LeavesADebtToWhoPushesItOut) {
  AttemptTable table({.limit = {.per_second = 1, .burst = 1},
                      .entries = 8,
                      .newcomer = AttemptTable::Newcomer::kInheritsDebt});
  for (std::uint64_t key = 1; key <= 8; ++key) {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(table.take(key, kStart, 100));
  }
  EXPECT_EQ(table.take(9, kStart, 100), 5s);
  EXPECT_EQ(table.take(1, kStart, 100), 5s);
  EXPECT_EQ(table.take(10, kStart + 1h, 100), 0s);
}

TEST(AttemptTable, CountsByAnotherLimitFromThenOn) {
  AttemptTable table({.limit = {.per_second = 1, .burst = 1}, .entries = 64});
  EXPECT_EQ(table.take(1, kStart, 0), 0s);
  table.use({.per_second = 10, .burst = 1}, 10min);
  EXPECT_EQ(table.take(1, kStart, 0), std::nullopt);
  EXPECT_EQ(table.take(1, kStart + 100ms, 0), 0s);
  table.use({}, 10min);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(table.take(1, kStart + 100ms, 0), 0s);
}

// A limit that was too narrow has refused somebody: the wider one does not make him wait that out.
TEST(AttemptTable, LeavesNoDebtLongerThanTheNewLimitMakes) {
  AttemptTable table({.limit = {.per_second = 0.001, .burst = 1}, .entries = 64});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(table.take(1, kStart, 3));
  table.use({.per_second = 1, .burst = 1}, 10min);
  EXPECT_EQ(table.take(1, kStart + 1s, 3), std::nullopt);
  EXPECT_EQ(table.take(1, kStart + 2s, 3), 3s);
  EXPECT_EQ(table.take(1, kStart + 6s, 0), 0s);
}

TEST(AttemptTable, ForgetsByTheNewTtl) {
  AttemptTable table({.limit = {.per_second = 0.001, .burst = 1}, .entries = 64});
  EXPECT_EQ(table.take(1, kStart, 0), 0s);
  table.use({.per_second = 0.001, .burst = 1}, 60s);
  EXPECT_EQ(table.take(1, kStart + 60s, 0), 0s);
}

}  // namespace
}  // namespace qdt::access
