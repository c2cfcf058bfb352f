#include "quic/burst_pacer.h"

#include <gtest/gtest.h>

namespace qdt::quic {
namespace {

constexpr Timestamp kNow{5s};

TEST(BurstPacer, LetsTheFirstBurstGo) {
  BurstPacer pacer;
  EXPECT_FALSE(pacer.hold(kNow));
}

TEST(BurstPacer, CutsByTheEnginesQuantum) {
  BurstPacer pacer;
  pacer.end(12500, 1'000'000, 20ms, kNow);  // 100 Mbit/s; the window would allow eight times more
  pacer.count(12499);
  EXPECT_FALSE(pacer.is_complete());
  pacer.count(1);
  EXPECT_TRUE(pacer.is_complete());
}

TEST(BurstPacer, CutsByTheWindowWhereTheEngineKnowsNoRate) {
  BurstPacer pacer;
  pacer.end(65536, 100'000, 20ms, kNow);  // 5 MB/s by the window
  pacer.count(5000);
  EXPECT_TRUE(pacer.is_complete());
}

TEST(BurstPacer, SendsTwoPacketsAtOnceHoweverSlowThePathIs) {
  BurstPacer pacer;
  pacer.end(65536, 6000, 100ms, kNow);
  pacer.count(2943);
  EXPECT_FALSE(pacer.is_complete());
  pacer.count(1);
  EXPECT_TRUE(pacer.is_complete());
}

TEST(BurstPacer, SpreadsAWindowOverHalfARoundTrip) {
  BurstPacer pacer;
  pacer.count(25'000);
  pacer.end(65536, 100'000, 20ms, kNow);
  EXPECT_TRUE(pacer.hold(kNow));
  EXPECT_EQ(pacer.next_burst(), kNow + 2500us);
  EXPECT_FALSE(pacer.hold(kNow + 2500us));
}

TEST(BurstPacer, HoldsAcknowledgementsNoLongerThanTheirPeerExpects) {
  BurstPacer pacer;
  pacer.count(60'000);
  pacer.end(65536, 6000, 300ms, kNow);
  EXPECT_EQ(pacer.next_burst(), kNow + BurstPacer::kMaxHold);
}

TEST(BurstPacer, LeavesAPathOfUnknownLengthToTheEngine) {
  BurstPacer pacer;
  pacer.count(14'000);
  pacer.end(14'000, 14'000, Duration::zero(), kNow);
  EXPECT_FALSE(pacer.hold(kNow));
}

}  // namespace
}  // namespace qdt::quic
