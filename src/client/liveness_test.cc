#include "client/liveness.h"

#include <gtest/gtest.h>

namespace qdt::client {
namespace {

using Action = Liveness::Action;

constexpr Timestamp kStart{Duration(100s)};

TEST(Liveness, LeavesAPathAloneThatOwesNothing) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(std::nullopt, kStart), Action::kNone);
  EXPECT_EQ(liveness.due(std::nullopt), kNever);
}

TEST(Liveness, LeavesASlowAnswerItsTime) {
  Liveness liveness;
  EXPECT_EQ(liveness.due(kStart), kStart + 1500ms);
  EXPECT_EQ(liveness.look(kStart, kStart + 1499ms), Action::kNone);
}

TEST(Liveness, RebindsFirstAndGivesUpThenWithinFiveSeconds) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(kStart, kStart + 1500ms), Action::kRebind);
  const Timestamp since = kStart + 1510ms;
  EXPECT_EQ(liveness.look(since, kStart + 3s), Action::kNone);
  EXPECT_EQ(liveness.look(since, liveness.due(since)), Action::kGiveUp);
  EXPECT_LT(liveness.due(since), kStart + 5s);
}

TEST(Liveness, AsksOnceForARebinding) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(kStart, kStart + 1500ms), Action::kRebind);
  EXPECT_EQ(liveness.look(kStart, kStart + 1501ms), Action::kNone);
  EXPECT_GT(liveness.due(kStart), kStart + 1501ms);
}

TEST(Liveness, GivesUpWhenNobodyRebinds) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(kStart, kStart + 1500ms), Action::kRebind);
  EXPECT_EQ(liveness.look(kStart, kStart + 4s), Action::kGiveUp);
}

TEST(Liveness, RebindsAgainOnceTheNewSocketWasAnswered) {
  Liveness liveness;
  EXPECT_EQ(liveness.look(kStart, kStart + 1500ms), Action::kRebind);
  EXPECT_EQ(liveness.look(std::nullopt, kStart + 1600ms), Action::kNone);
  const Timestamp later = kStart + 10s;
  EXPECT_EQ(liveness.look(later, later + 1500ms), Action::kRebind);
}

TEST(Liveness, DoesNotRebindWhatWasJustReboundForAnotherReason) {
  Liveness liveness;
  liveness.on_rebound(kStart);
  EXPECT_EQ(liveness.look(kStart, kStart + 1500ms), Action::kNone);
  EXPECT_EQ(liveness.look(kStart, kStart + 2s), Action::kGiveUp);
}

}  // namespace
}  // namespace qdt::client
