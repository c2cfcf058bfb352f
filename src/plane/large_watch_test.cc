#include "plane/large_watch.h"

#include <gtest/gtest.h>

namespace qdt::plane {
namespace {

constexpr Timestamp kStart{1h};

// A path on which each feedback tells of all packets sent before it.
class LargeWatchTest : public ::testing::Test {
 protected:
  void send(std::size_t bytes, std::uint32_t packets = 1) {
    for (; packets > 0; --packets) watch.on_sent(++counter, bytes);
  }
  // Tells of the packets since the last feedback.
  bool tell(const PathSample& sample, Timestamp at, bool is_all = false, Duration rtt = 40ms) {
    const LargeWatch::Told told{
        .sample = sample, .after = told_of, .highest = counter, .is_all = is_all, .rtt = rtt};
    told_of = counter;
    return watch.on_feedback(told, at);
  }
  // The verdict when so many large packets were sent and the peer reported this.
  bool suspects(std::uint32_t larges, const PathSample& heard, Duration rtt = 40ms) {
    watch = {};
    send(1400, larges);
    const Timestamp end = kStart + std::max<Duration>(200ms, rtt);
    EXPECT_FALSE(tell(heard, kStart, false, rtt)) << "too early to tell";
    EXPECT_FALSE(tell({}, end - 1ns, false, rtt));
    return tell({}, end, false, rtt);
  }

  LargeWatch watch;
  std::uint64_t counter = 0;
  std::uint64_t told_of = 0;
};

TEST_F(LargeWatchTest, SuspectsAHoleWhereSmallPacketsAloneArrive) {
  EXPECT_TRUE(suspects(10, {.bytes = 20 * 60, .packets = 20, .lost = 10}));
  EXPECT_TRUE(suspects(10, {.bytes = 20 * 60, .packets = 20, .lost = 7}));
  EXPECT_TRUE(suspects(10, {.bytes = 20 * 60, .packets = 20, .lost = 10}, 1s));
}

TEST_F(LargeWatchTest, SuspectsNothingOfOrdinaryLoss) {
  EXPECT_FALSE(suspects(10, {.bytes = 20 * 60, .packets = 20, .lost = 6}));
  EXPECT_FALSE(suspects(3, {.bytes = 20 * 60, .packets = 20, .lost = 3}));
  EXPECT_FALSE(suspects(0, {.bytes = 20 * 60, .packets = 20, .lost = 10}));
}

TEST_F(LargeWatchTest, SuspectsNothingWhereLargeOnesArrive) {
  EXPECT_FALSE(suspects(10, {.bytes = 20 * 1400, .packets = 20, .lost = 10}));
}

TEST_F(LargeWatchTest, BeginsAnewAfterEachLook) {
  send(1400, 10);
  const PathSample heard{.bytes = 600, .packets = 10, .lost = 10};
  EXPECT_FALSE(tell(heard, Timestamp{1s}));
  EXPECT_TRUE(tell({}, Timestamp{2s}));
  EXPECT_FALSE(tell(heard, Timestamp{3s}));
  EXPECT_FALSE(tell(heard, Timestamp{4s})) << "no large one was sent since";
}

TEST_F(LargeWatchTest, CountsNoLossesOfASilence) {
  send(1400, 10);
  EXPECT_FALSE(tell({.bytes = 20 * 60, .packets = 20, .lost = 10}, kStart));
  watch.forget_losses();
  EXPECT_FALSE(tell({}, kStart + 1s));
  EXPECT_FALSE(tell({}, kStart + 2s));
}

// --- few in flight: each round one large packet and `smalls` of 100 bytes ---

class FewInFlight : public LargeWatchTest {
 protected:
  struct Round {
    std::uint32_t smalls = 0;
    std::uint32_t smalls_arrived = 0;
    bool large_arrives = false;
  };
  bool suspects(const Round& round) {
    now += 1s;
    send(1400);
    send(100, round.smalls);
    const std::uint32_t arrived = round.smalls_arrived + round.large_arrives;
    return tell({.bytes = 100 * round.smalls_arrived + (round.large_arrives ? 1400U : 0U),
                 .packets = arrived,
                 .lost = round.smalls + 1 - arrived},
                now, true);
  }
  Timestamp now = kStart;
};

TEST_F(FewInFlight, AreEnoughAfterTwoLargeOnesFarApart) {
  EXPECT_FALSE(suspects({.smalls = 20, .smalls_arrived = 20}));
  EXPECT_TRUE(suspects({.smalls = 20, .smalls_arrived = 20}));
  EXPECT_FALSE(suspects({.smalls = 20, .smalls_arrived = 20})) << "it began anew";
  EXPECT_TRUE(suspects({.smalls = 20, .smalls_arrived = 19}));
}

TEST_F(FewInFlight, AreNoHoleWhenOneComesThrough) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(suspects({.smalls = 20, .smalls_arrived = 20}));
    EXPECT_FALSE(suspects({.smalls = 20, .smalls_arrived = 18, .large_arrives = true}));
  }
}

TEST_F(FewInFlight, AreNotToldApartWhileMuchIsUnderWay) {
  for (int i = 0; i < 100; ++i) {
    send(1400, 10);
    EXPECT_FALSE(tell({.bytes = 8 * 1400, .packets = 8, .lost = 2}, kStart + i * 10ms));
  }
}

// --- few large ones among small ones that go on all the time: something is always under way ---

class FewAmongSmall : public LargeWatchTest {
 protected:
  // A large packet or more, and two small ones; whether the large ones arrive.
  bool suspects(bool large_arrives, std::uint32_t larges = 1) {
    now += step;
    send(1300, larges);
    send(100, 2);
    const std::uint32_t arrived = large_arrives ? larges : 0;
    return tell({.bytes = 200 + 1300 * arrived, .packets = 2 + arrived, .lost = larges - arrived},
                now);
  }
  Timestamp now = kStart;
  Duration step = 1s;
};

TEST_F(FewAmongSmall, AreAHoleAfterFourFeedbacks) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(suspects(false));
  EXPECT_TRUE(suspects(false));
  EXPECT_FALSE(suspects(false)) << "it began anew";
}

TEST_F(FewAmongSmall, AreNoHoleWhenOneComesThrough) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(suspects(i % 4 == 3));
}

TEST_F(FewAmongSmall, HaveOneFeedbackForAnOutage) {
  step = 25ms;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(suspects(false, 12));
    for (int j = 0; j < 9; ++j) EXPECT_FALSE(suspects(true, 12));
  }
}

TEST_F(FewAmongSmall, AreNotInFeedbackAboutSmallOnesAlone) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(suspects(false));
  for (int i = 0; i < 10; ++i) {
    now += 1s;
    send(100, 5);
    EXPECT_FALSE(tell({.bytes = 300, .packets = 3, .lost = 2}, now));
  }
}

TEST_F(FewAmongSmall, AreNotFewWhereManyAreUnderWay) {
  for (int i = 0; i < 100; ++i) {
    now += 10ms;
    send(1300, 40);
    EXPECT_FALSE(tell({.bytes = 24 * 1300, .packets = 24, .lost = 16}, now));
  }
}

}  // namespace
}  // namespace qdt::plane
