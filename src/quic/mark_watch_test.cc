#include "quic/mark_watch.h"

#include <gtest/gtest.h>

namespace qdt::quic {
namespace {

constexpr Duration kRtt = 40ms;

class MarkWatchTest : public ::testing::Test {
 protected:
  // `payloads` in `time`, of which one in `every` is marked; what the last mark counted as.
  Ecn receive(int payloads, Duration time, int every = 1) {
    Ecn judged = Ecn::kNotEct;
    for (int i = 0; i < payloads; ++i) {
      now += time / payloads;
      const Ecn ecn = i % every == 0 ? Ecn::kCe : Ecn::kEct0;
      const Ecn result = watch.judge(ecn);
      if (watch.is_window_over(now)) watch.end_window(kRtt, now);
      if (ecn == Ecn::kCe) judged = result;
    }
    return judged;
  }
  int drops(int payloads, Duration time, int every) {
    int dropped = 0;
    for (int i = 0; i < payloads; ++i) {
      receive(1, time / payloads, i % every == 0 ? 1 : 2);
      dropped += i % every == 0 && watch.may_drop(now);
    }
    return dropped;
  }

  MarkWatch watch;
  Timestamp now{Duration(100s)};
};

TEST_F(MarkWatchTest, BelievesAQueueThatMarksSomePackets) {
  EXPECT_EQ(receive(10'000, 10s, 5), Ecn::kCe);
  EXPECT_FALSE(watch.is_mangled());
}

TEST_F(MarkWatchTest, LeavesOtherBitsAlone) {
  receive(100, 5s);
  for (const Ecn ecn : {Ecn::kNotEct, Ecn::kEct0, Ecn::kEct1}) EXPECT_EQ(watch.judge(ecn), ecn);
}

TEST_F(MarkWatchTest, DisregardsMarksOnAllPacketsFromTheFirstOn) {
  EXPECT_EQ(receive(9, 100ms), Ecn::kCe);
  EXPECT_EQ(receive(1, 10ms), Ecn::kNotEct);
}

TEST_F(MarkWatchTest, DisregardsThemLaterAfterSomeRoundTrips) {
  receive(1000, 5s, 1000);
  EXPECT_EQ(receive(100, 500ms), Ecn::kCe);
  EXPECT_EQ(receive(1000, 4s), Ecn::kNotEct);
}

TEST_F(MarkWatchTest, BelievesAShortRunOfMarks) {
  receive(1000, 5s, 1000);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(receive(300, 600ms), Ecn::kCe);
    receive(1000, 2s, 1000);
  }
}

TEST_F(MarkWatchTest, BelievesThemAgainWhenFewPacketsAreMarked) {
  receive(100, 5s);
  ASSERT_TRUE(watch.is_mangled());
  receive(1000, 3s, 10);
  EXPECT_FALSE(watch.is_mangled());
}

TEST_F(MarkWatchTest, DropsFewPacketsForMarks) {
  receive(1000, 2s, 1000);
  EXPECT_LE(drops(10'000, 10s, 4), 100);
  EXPECT_LE(drops(640, 60s, 4), 10);
}

TEST_F(MarkWatchTest, DropsNoneWhereMostAreMarked) {
  receive(1000, 5s, 1000);
  receive(1000, 1s);
  EXPECT_FALSE(watch.may_drop(now));
}

}  // namespace
}  // namespace qdt::quic
