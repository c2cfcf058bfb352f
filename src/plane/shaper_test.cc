#include "plane/shaper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "plane/pacer.h"
#include "support/seeded_random.h"

namespace qdt::plane {
namespace {

using State = Shaper::State;

constexpr std::size_t kBytes = 1250;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// A sender with more than enough to send, a shaper, and a link with a tail-drop queue.
class ShaperTest : public ::testing::Test {
 protected:
  // The rates of the link and of the sender, in bytes per second.
  double rate = 1.25e6;
  double offered = 1.5 * 1.25e6;
  Duration buffer = 300ms;
  Duration rtt = 40ms;
  int lost_of_100 = 0;        // at random, as it were
  Duration foreign_queue{0};  // of someone who does not care what we do
  Duration busy_of_50ms{0};   // in which the sender's host has other things to do

  void run_for(Duration duration) {
    const Timestamp end = now + duration;
    delivered = longest_queue_bytes = 0;
    for (; now < end; now += 1ms) {
      queued = std::max(queued - rate * 1e-3, 0.0);
      waiting = std::min(waiting + offered * 1e-3, 1e6);
      if (now.time_since_epoch() % 50ms < busy_of_50ms) continue;
      send();
      if (now >= told_at) tell();
      longest_queue_bytes = std::max(longest_queue_bytes, queued);
    }
  }
  // Each second by itself.
  void expect_each_second(int times, Duration most_queue, double least_use) {
    for (int second = 0; second < times; ++second) {
      run_for(1s);
      EXPECT_LE(longest_queue(), most_queue) << second;
      EXPECT_GE(use(), least_use) << second;
    }
  }
  double use() const { return delivered / rate; }  // of a second
  Duration longest_queue() const {
    return Duration(static_cast<std::int64_t>(1e9 * longest_queue_bytes / rate));
  }

  Shaper shaper;
  Timestamp now{1s};
  double delivered = 0;

 private:
  struct Packet {
    Timestamp sent;
    Timestamp arrived;
    Duration queue;
    bool is_lost;
  };

  void send() {
    while (waiting >= kBytes) {
      if (!pacer.may_send(now)) {
        is_backlogged = true;
        return;
      }
      waiting -= kBytes;
      pacer.on_sent(kBytes);
      const bool is_chance = static_cast<int>(++count * 37 % 100) < lost_of_100;
      const bool is_full = queued + kBytes > rate * seconds(buffer);
      if (!is_full) queued += kBytes;
      const Duration queue(static_cast<std::int64_t>(1e9 * queued / rate));
      under_way.push_back(
          {now, now + rtt / 2 + queue, queue + foreign_queue, is_full || is_chance});
    }
  }

  // The arrivals until half a round trip ago.
  void tell() {
    told_at = now + rtt / 4;
    PathSample sample;
    while (!under_way.empty() && under_way.front().arrived + rtt / 2 <= now) {
      const Packet packet = under_way.front();
      under_way.pop_front();
      if (packet.is_lost) {
        ++sample.lost;
        continue;
      }
      ++sample.packets;
      sample.bytes += kBytes;
      sample.sent = packet.sent;
      sample.queue_delay = packet.queue;
      sample.over += packet.arrived - std::exchange(last_arrived, packet.arrived);
    }
    if (sample.packets == 0) return;
    sample.rtt = now - sample.sent;
    delivered += static_cast<double>(sample.bytes);
    shaper.on_sample(sample, std::exchange(is_backlogged, false), now);
    if (shaper.rate() != pacer.rate()) pacer.set_rate(shaper.rate(), now);
  }

  Pacer pacer;
  double queued = 0;
  double waiting = 0;
  double longest_queue_bytes = 0;
  std::uint64_t count = 0;
  bool is_backlogged = false;
  std::deque<Packet> under_way;
  Timestamp told_at;
  Timestamp last_arrived{1s};
};

TEST_F(ShaperTest, LimitsNothingWhileNoQueueStands) {
  offered = 0.9 * rate;
  run_for(20s);
  EXPECT_EQ(shaper.state(), State::kFree);
  EXPECT_EQ(shaper.rate(), 0);
}

TEST_F(ShaperTest, KeepsTheQueueOfALinkOfOurOwnShortAndTheLinkInUse) {
  run_for(3s);
  EXPECT_EQ(shaper.state(), State::kHolding);
  expect_each_second(30, 3 * Shaper::kTarget, 0.93);
}

TEST_F(ShaperTest, LetsGoOfAQueueThatIsSomeoneElses) {
  offered = 0.5 * rate;
  run_for(1s);
  foreign_queue = 60ms;
  int limited = 0;
  for (int i = 0; i < 6000; ++i) {
    run_for(10ms);
    limited += shaper.rate() > 0 ? 1 : 0;
  }
  EXPECT_GT(limited, 0) << "it never tried";
  EXPECT_LE(limited, 200) << "of 6000: seldom, and briefly";
  run_for(1s);
  EXPECT_GE(delivered, 0.95 * offered);
}

TEST_F(ShaperTest, SparesSendersUntilADrainHasHelped) {
  offered = 0.9 * rate;
  foreign_queue = 60ms;
  run_for(3s);
  ASSERT_EQ(shaper.state(), State::kReleased);
  // By chance it falls while less is sent, and then it stands as before.
  for (int i = 0; i < 10'000 && shaper.state() != State::kDraining; ++i) {
    if (shaper.state() == State::kTrying)
      foreign_queue = std::max<Duration>(foreign_queue - 300us, 15ms);
    run_for(1ms);
  }
  ASSERT_EQ(shaper.state(), State::kDraining);
  for (int i = 0; i < 2'000 && shaper.state() != State::kReleased; ++i) {
    ASSERT_TRUE(shaper.should_pause_dropping()) << "state " << static_cast<int>(shaper.state());
    run_for(1ms);
  }
  EXPECT_EQ(shaper.state(), State::kReleased);
}

TEST_F(ShaperTest, TriesAgainWhenTheQueueHasBecomeOurs) {
  offered = 0.5 * rate;
  run_for(1s);
  foreign_queue = 60ms;
  run_for(2s);
  EXPECT_EQ(shaper.state(), State::kReleased);
  foreign_queue = 0ms;
  offered = 1.5 * rate;
  run_for(10s);
  EXPECT_EQ(shaper.state(), State::kHolding);
  EXPECT_FALSE(shaper.should_pause_dropping());
}

TEST_F(ShaperTest, IsNotSlowedByRandomLoss) {
  offered = 0.9 * rate;
  lost_of_100 = 20;
  run_for(20s);
  EXPECT_EQ(shaper.state(), State::kFree);
}

TEST_F(ShaperTest, IsNotSlowedByWhatAShallowQueueDrops) {
  buffer = 4ms;
  offered = 0;
  run_for(1s);  // the rate of what comes first after a silence says nothing
  offered = 2 * rate;
  run_for(1s);
  expect_each_second(10, buffer, 0.95);
}

TEST_F(ShaperTest, FollowsALinkThatHalvesAndDoubles) {
  run_for(5s);
  rate /= 2;
  run_for(2s);
  run_for(1s);
  EXPECT_LE(longest_queue(), 3 * Shaper::kTarget);
  EXPECT_GE(use(), 0.9);
  rate *= 2;
  run_for(3s);
  run_for(1s);
  EXPECT_GE(use(), 0.9);
}

TEST_F(ShaperTest, GoesOnAfterASilence) {
  run_for(5s);
  const double before = shaper.rate();
  offered = 0;
  run_for(5s);
  EXPECT_EQ(shaper.state(), State::kHolding);
  offered = 1.5 * rate;
  run_for(1s);
  EXPECT_LE(longest_queue(), 3 * Shaper::kTarget) << "it knew the rate, " << before;
}

TEST_F(ShaperTest, ForgetsARateThatNobodyHasAskedForInALongTime) {
  run_for(5s);
  offered = 0.3 * rate;
  run_for(30s);
  EXPECT_EQ(shaper.state(), State::kFree);
  EXPECT_EQ(shaper.rate(), 0);
}

TEST_F(ShaperTest, CatchesUpWhenItsHostComesLate) {
  run_for(3s);
  busy_of_50ms = 30ms;
  run_for(1s);
  expect_each_second(10, 50ms, 0.9);
}

TEST_F(ShaperTest, DoesNotTakeItselfForTheCauseOfADelayThatComesAndGoes) {
  run_for(3s);
  ASSERT_EQ(shaper.state(), State::kHolding);
  testing::SeededRandom random(1);
  const Timestamp begin = now;
  double sum = 0;
  while (now < begin + 60s) {
    foreign_queue = static_cast<int>(random.below(30)) * 1ms;
    run_for(static_cast<int>(random.below(10)) * 1ms);
    sum += delivered;
  }
  EXPECT_GE(sum / (rate * seconds(now - begin)), 0.9);
}

}  // namespace
}  // namespace qdt::plane
