#include "quic/path_mtu.h"

#include <gtest/gtest.h>

#include <vector>

namespace qdt::quic {
namespace {

constexpr Duration kRtt = 40ms;
constexpr std::size_t kCeiling = 1472;

/// A path over IPv4 whose search is over, at its ceiling.
class PathMtuTest : public ::testing::Test {
 protected:
  PathMtuTest() {
    mtu.start(/*is_v4=*/true, now);
    mtu.advance(kCeiling, now);
  }

  void lose(std::size_t bytes) { mtu.on_lost(PathMtu::note(bytes, now)); }
  void acknowledge(std::size_t bytes) { mtu.on_acked(PathMtu::note(bytes, now)); }
  void acknowledge_small() {
    mtu.on_heard(kCeiling, now, kRtt);
    mtu.advance(kCeiling, now);
  }
  // Sent over a round trip, all lost; then the peer acknowledges something small.
  void lose_many(std::size_t bytes) {
    for (int i = 0; i < 8; ++i) {
      lose(bytes);
      now += kRtt / 8;
    }
    acknowledge_small();
  }
  // Has every probe of a round sent; those of at most `carried` bytes come through.
  std::vector<std::size_t> run_round(std::size_t carried) {
    std::vector<std::size_t> sent;
    while (const std::size_t bytes = mtu.next_probe()) {
      mtu.on_probe_sent(bytes, now, 3 * kRtt);
      sent.push_back(bytes);
    }
    const Timestamp when = now;
    now += kRtt;
    for (const std::size_t bytes : sent) {
      const std::uint64_t note = PathMtu::probe_note(bytes, when);
      bytes <= carried ? mtu.on_acked(note) : mtu.on_lost(note);
    }
    mtu.advance(kCeiling, now);
    return sent;
  }

  PathMtu mtu;
  Timestamp now{1s};
};

TEST_F(PathMtuTest, LimitsNothingAtFirst) {
  EXPECT_EQ(mtu.limit(), PathMtu::kUnlimited);
  EXPECT_TRUE(mtu.is_settled());
  EXPECT_EQ(mtu.next_probe(), 0u);
  EXPECT_EQ(mtu.next_timeout(), kNever);
}

TEST_F(PathMtuTest, StepsDownWhenLargePacketsDie) {
  lose_many(1472);
  EXPECT_EQ(mtu.limit(), PathMtu::kBaseBytes);
  EXPECT_FALSE(mtu.is_settled());
}

TEST_F(PathMtuTest, TakesTheLargestProbeThatComesThrough) {
  lose_many(1472);
  EXPECT_EQ(run_round(1272).size(), 9u);
  EXPECT_EQ(mtu.limit(), 1272u);
  EXPECT_FALSE(mtu.is_settled());
  EXPECT_EQ(run_round(1272), std::vector<std::size_t>{1332});  // once more
  EXPECT_TRUE(mtu.is_settled());
  EXPECT_EQ(mtu.limit(), 1272u);
}

TEST_F(PathMtuTest, ForgivesAProbeLostByChance) {
  lose_many(1472);
  run_round(1372);
  run_round(1472);
  EXPECT_EQ(run_round(1472).size(), 3u);
  EXPECT_EQ(mtu.limit(), PathMtu::kUnlimited);
  EXPECT_TRUE(mtu.is_settled());
}

TEST_F(PathMtuTest, WaitsForNoTimeWhileAProbeIsNotSent) {
  lose_many(1472);
  for (int i = 0; i < 8; ++i) mtu.on_probe_sent(mtu.next_probe(), now, 3 * kRtt);
  now += 10s;
  mtu.advance(kCeiling, now);
  EXPECT_NE(mtu.next_probe(), 0u);
  EXPECT_EQ(mtu.next_timeout(), kNever) << "whoever waits for it would wake up for ever";
}

TEST_F(PathMtuTest, WaitsNoLongerForAProbeThatNobodyToldOf) {
  lose_many(1472);
  run_round(1272);
  mtu.on_probe_sent(mtu.next_probe(), now, 3 * kRtt);
  now = mtu.next_timeout();
  mtu.advance(kCeiling, now);
  EXPECT_TRUE(mtu.is_settled());
  EXPECT_GT(mtu.next_timeout(), now + 10s) << "the loop would wake up for ever";
}

TEST_F(PathMtuTest, TrustsThePathAgainWhereEveryProbeComesThrough) {
  lose_many(1472);
  run_round(1472);
  EXPECT_EQ(mtu.limit(), PathMtu::kUnlimited);
  EXPECT_EQ(mtu.next_timeout(), kNever);
}

TEST_F(PathMtuTest, LooksForMoreLaterAndLessAndLessOften) {
  lose_many(1472);
  run_round(1272);
  run_round(1272);
  for (const Duration interval : {60s, 120s, 240s, 480s, 600s, 600s}) {
    EXPECT_EQ(mtu.next_timeout(), now + interval);
    now += interval;
    mtu.advance(kCeiling, now);
    run_round(1272);
    EXPECT_TRUE(mtu.is_settled());
    run_round(1272);
  }
  now = mtu.next_timeout();
  mtu.advance(kCeiling, now);
  run_round(1472);
  EXPECT_EQ(mtu.limit(), PathMtu::kUnlimited);
}

TEST_F(PathMtuTest, AnAcknowledgedLargePacketExcusesThoseBefore) {
  for (int i = 0; i < 100; ++i) {
    lose(1400);
    lose(1472);
    now += 10ms;
    if (i % 2 == 1) acknowledge(1472);
    acknowledge_small();
  }
  EXPECT_EQ(mtu.limit(), PathMtu::kUnlimited);
}

TEST_F(PathMtuTest, ASmallerOneDoesNot) {
  for (int i = 0; i < 10; ++i) {
    lose(1472);
    now += 10ms;
    acknowledge(1252);
    acknowledge_small();
  }
  EXPECT_EQ(mtu.limit(), PathMtu::kBaseBytes);
}

TEST_F(PathMtuTest, ABurstOfLossesIsNoHole) {
  for (int i = 0; i < 100; ++i) lose(1472);
  now += 5ms;
  for (int i = 0; i < 100; ++i) lose(1472);
  now += 1s;
  acknowledge_small();
  EXPECT_EQ(mtu.limit(), PathMtu::kUnlimited);
}

TEST_F(PathMtuTest, ALossBeforeWhatCameThroughIsNoneToWorryAbout) {
  const Timestamp begun = now;
  now += 1s;
  acknowledge(1472);
  for (int i = 0; i < 10; ++i) {
    mtu.on_lost(PathMtu::note(1472, begun + i * 50ms));
  }
  EXPECT_FALSE(mtu.is_suspicious());
}

TEST_F(PathMtuTest, SmallPacketsProveNothing) {
  lose_many(1200);
  EXPECT_EQ(mtu.limit(), PathMtu::kUnlimited);
}

TEST_F(PathMtuTest, WaitsForTheEnginesSearch) {
  mtu.start(/*is_v4=*/true, now);
  mtu.advance(1200, now);
  EXPECT_FALSE(mtu.is_settled());
  mtu.on_search_probe(now, 100ms);
  mtu.advance(1200, now + 399ms);
  EXPECT_FALSE(mtu.is_settled());
  EXPECT_EQ(mtu.next_timeout(), now + 400ms);
  mtu.advance(1372, now + 400ms);
  EXPECT_TRUE(mtu.is_settled());
}

TEST_F(PathMtuTest, ForgetsAllOnAnotherPath) {
  lose_many(1472);
  mtu.start(/*is_v4=*/false, now);
  EXPECT_EQ(mtu.limit(), PathMtu::kUnlimited);
  lose_many(1452);
  EXPECT_EQ(run_round(1452).size(), 9u);
}

TEST_F(PathMtuTest, IsNotBornTwiceFromWhatWasOnItsWay) {
  const Timestamp before = now;
  lose_many(1472);
  run_round(1272);
  run_round(1272);
  for (int i = 0; i < 8; ++i) mtu.on_lost(PathMtu::note(1472, before + i * 5ms));
  acknowledge_small();
  EXPECT_EQ(mtu.limit(), 1272u);
}

}  // namespace
}  // namespace qdt::quic
