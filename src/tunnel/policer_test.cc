#include "tunnel/policer.h"

#include <gtest/gtest.h>

namespace qdt::tunnel {
namespace {

using Verdict = Policer::Verdict;
constexpr Timestamp kStart{Duration(1h)};
constexpr std::uint64_t kRate = 20'000'000;
constexpr std::size_t kPacket = 1400;

struct Outcome {
  double passed = 0;
  int slowed = 0;
  int dropped = 0;
};

// Packets that come evenly at `bits_per_second`.
Outcome offer(Policer& policer, double bits_per_second, Duration time, Timestamp start = kStart) {
  Outcome outcome;
  const Duration gap = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(8.0 * kPacket / bits_per_second));
  for (Timestamp now = start; now < start + time; now += gap) {
    switch (policer.judge(kPacket, now)) {
      case Verdict::kPass: outcome.passed += kPacket; break;
      case Verdict::kSlowDown: ++outcome.slowed; break;
      case Verdict::kDrop: ++outcome.dropped; break;
    }
  }
  return outcome;
}

TEST(Policer, LetsEverythingPassWithoutARate) {
  access::SharedRate rate;
  Policer none;
  Policer any(&rate, 0);
  EXPECT_EQ(offer(none, 1e9, 1s).dropped, 0);
  EXPECT_EQ(offer(any, 1e9, 1s).dropped, 0);
}

TEST(Policer, DoesNotMeetAPeerThatKeepsToTheRate) {
  access::SharedRate rate;
  Policer policer(&rate, kRate);
  const Outcome outcome = offer(policer, kRate * 1.03, 30s);
  EXPECT_EQ(outcome.slowed, 0);
  EXPECT_EQ(outcome.dropped, 0);
}

TEST(Policer, AsksAFastPeerToSlowDownBeforeItDropsEverything) {
  access::SharedRate rate;
  Policer policer(&rate, kRate);
  const Outcome at_first = offer(policer, kRate * 1.5, 400ms);
  EXPECT_GT(at_first.slowed, 0);
  EXPECT_EQ(at_first.dropped, 0);
}

TEST(Policer, HoldsAPeerToTheRateThatDoesNotSlowDown) {
  access::SharedRate rate;
  Policer policer(&rate, kRate);
  offer(policer, kRate * 5, 1s);
  const Outcome outcome = offer(policer, kRate * 5, 10s, kStart + 1s);
  EXPECT_LE(outcome.passed * 8, 10.0 * kRate * (100 + Policer::kMarginPercent + 1) / 100);
  EXPECT_GT(outcome.dropped, 0);
}

TEST(Policer, IsOneRateForAllSessions) {
  access::SharedRate rate;
  Policer one(&rate, kRate);
  Policer other(&rate, kRate);
  EXPECT_EQ(offer(one, kRate / 2, 10s).dropped, 0);
  int slowed = 0;
  for (Timestamp now = kStart + 10s; now < kStart + 20s; now += 400us) {  // 28 Mbit/s each
    slowed += one.judge(kPacket, now) != Verdict::kPass;
    slowed += other.judge(kPacket, now) != Verdict::kPass;
  }
  EXPECT_GT(slowed, 0);
}

// A packet sent again after a timeout is the only one for a while: if it were dropped for what was
// sent before, its flow would stand still.
TEST(Policer, PassesTheFirstPacketAfterAPause) {
  access::SharedRate rate;
  Policer policer(&rate, kRate);
  offer(policer, kRate * 50, 300ms);
  Timestamp now = kStart + 300ms;
  for (const Duration pause : {200ms, 400ms, 800ms}) {
    now += pause;
    EXPECT_EQ(policer.judge(kPacket, now), Verdict::kPass) << pause / 1ms;
  }
}

TEST(Policer, ForgetsABurstAfterAPause) {
  access::SharedRate rate;
  Policer policer(&rate, kRate);
  offer(policer, kRate * 5, 2s);
  const Outcome later = offer(policer, kRate, 5s, kStart + 4s);
  EXPECT_EQ(later.dropped, 0);
  EXPECT_LE(later.slowed, 1);
}

}  // namespace
}  // namespace qdt::tunnel
