#include "client/liveness.h"

#include <gtest/gtest.h>

namespace qdt::client {
namespace {

using Action = Liveness::Action;

constexpr Timestamp kStart{Duration(100s)};
constexpr Duration kRtt = 50ms;

TEST(Liveness, LeavesAPathAloneThatOwesNothing) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(std::nullopt, kRtt, kStart), Action::kNone);
  EXPECT_EQ(liveness.due(std::nullopt, kRtt), kNever);
}

TEST(Liveness, LeavesASlowAnswerItsTime) {
  Liveness liveness;
  EXPECT_EQ(liveness.due(kStart, kRtt), kStart + 1500ms);
  EXPECT_EQ(liveness.look(kStart, kRtt, kStart + 1499ms), Action::kNone);
}

TEST(Liveness, RebindsFirstAndGivesUpThenWithinFiveSeconds) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(kStart, kRtt, kStart + 1500ms), Action::kRebind);
  const Timestamp since = kStart + 1510ms;
  EXPECT_EQ(liveness.look(since, kRtt, kStart + 3s), Action::kNone);
  EXPECT_EQ(liveness.look(since, kRtt, liveness.due(since, kRtt)), Action::kGiveUp);
  EXPECT_LT(liveness.due(since, kRtt), kStart + 5s);
}

TEST(Liveness, AsksOnceForARebinding) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(kStart, kRtt, kStart + 1500ms), Action::kRebind);
  EXPECT_EQ(liveness.look(kStart, kRtt, kStart + 1501ms), Action::kNone);
  EXPECT_GT(liveness.due(kStart, kRtt), kStart + 1501ms);
}

TEST(Liveness, GivesUpWhenNobodyRebinds) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(kStart, kRtt, kStart + 1500ms), Action::kRebind);
  EXPECT_EQ(liveness.look(kStart, kRtt, kStart + 4s), Action::kGiveUp);
}

TEST(Liveness, RebindsAgainOnceTheNewSocketWasAnswered) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(kStart, kRtt, kStart + 1500ms), Action::kRebind);
  EXPECT_EQ(liveness.look(std::nullopt, kRtt, kStart + 1600ms), Action::kNone);
  const Timestamp later = kStart + 10s;
  EXPECT_EQ(liveness.look(later, kRtt, later + 1500ms), Action::kRebind);
}

TEST(Liveness, DoesNotRebindWhatWasJustReboundForAnotherReason) {
  Liveness liveness;
  liveness.on_rebound(kStart);
  EXPECT_EQ(liveness.look(kStart, kRtt, kStart + 1500ms), Action::kNone);
  EXPECT_EQ(liveness.look(kStart, kRtt, kStart + 2s), Action::kGiveUp);
}

TEST(Liveness, WaitsAsLongAsASlowPathTakes) {
  Liveness liveness;
  EXPECT_EQ(liveness.due(kStart, 4s), kStart + 4s);
  EXPECT_EQ(liveness.look(kStart, 4s, kStart + 4s), Action::kRebind);
  EXPECT_EQ(liveness.due(kStart, 4s), kStart + 8s);
}

TEST(Liveness, WaitsNoLongerThanItsBoundHoweverSlowThePathIsSaidToBe) {
  Liveness liveness;
  EXPECT_EQ(liveness.due(kStart, 1h), kStart + 10s);
}

TEST(Liveness, IsAsQuickAsEverOnAnOrdinaryPath) {
  Liveness liveness;
  EXPECT_EQ(liveness.due(kStart, 900ms), kStart + 1500ms);
}

}  // namespace
}  // namespace qdt::client
