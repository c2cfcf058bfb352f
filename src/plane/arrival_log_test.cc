#include "plane/arrival_log.h"

#include <gtest/gtest.h>

namespace qdt::plane {
namespace {

constexpr Timestamp kStart{1h};

TEST(ArrivalLog, HasNothingToTellAtFirst) {
  const ArrivalLog log;
  EXPECT_EQ(log.due(), kNever);
  EXPECT_FALSE(log.may_ride(kStart));
}

TEST(ArrivalLog, TellsWhatHasArrived) {
  ArrivalLog log;
  log.on_packet(0, true, 100, false, true, kStart);
  log.on_packet(7, true, 1000, true, true, kStart + 3ms);
  log.on_packet(5, false, 50, false, true, kStart + 4ms);
  EXPECT_EQ(log.take(kStart + 10ms), (wire::Feedback{.highest = 7,
                                                     .arrived_us = 3'600'003'000,
                                                     .held_us = 7000,
                                                     .packets = 3,
                                                     .bytes = 1150,
                                                     .marked = 1}));
}

TEST(ArrivalLog, IsDueAtOnceAfterASilence) {
  ArrivalLog log;
  log.on_packet(0, true, 100, false, true, kStart);
  EXPECT_EQ(log.due(), kStart);
  log.take(kStart);
  EXPECT_EQ(log.due(), kNever);
}

TEST(ArrivalLog, LeavesAnAnswerOnAShortPathTheTimeToTakeItAlong) {
  ArrivalLog log;
  log.set_rtt(1ms);
  log.on_packet(0, true, 100, false, true, kStart);
  EXPECT_EQ(log.due(), kStart + ArrivalLog::kMinInterval);
  EXPECT_TRUE(log.may_ride(kStart));
  log.take(kStart);
  EXPECT_EQ(log.due(), kNever);
}

TEST(ArrivalLog, IsDueAQuarterOfARoundTripLater) {
  ArrivalLog log;
  const auto interval_at = [&](Duration rtt) {
    log.set_rtt(rtt);
    log.take(kStart);
    log.on_packet(1, true, 100, false, true, kStart + 1ms);
    return log.due() - kStart;
  };
  EXPECT_EQ(interval_at(40ms), 10ms);
  EXPECT_EQ(interval_at(1ms), 1ms + ArrivalLog::kMinInterval);
  EXPECT_EQ(interval_at(1s), ArrivalLog::kMaxInterval);
}

TEST(ArrivalLog, RidesAlongHalfAnIntervalLater) {
  ArrivalLog log;
  log.set_rtt(40ms);
  log.take(kStart);
  EXPECT_FALSE(log.may_ride(kStart + 1s)) << "nothing came";
  log.on_packet(1, true, 100, false, true, kStart + 1ms);
  EXPECT_FALSE(log.may_ride(kStart + 4999us));
  EXPECT_TRUE(log.may_ride(kStart + 5ms));
}

TEST(ArrivalLog, CountsWhatAsksForNothing) {
  ArrivalLog log;
  log.on_packet(3, true, 62, false, false, kStart);
  EXPECT_EQ(log.due(), kNever);
  EXPECT_EQ(log.take(kStart).packets, 1u);
}

}  // namespace
}  // namespace qdt::plane
