#include "tunnel/backlog_watch.h"

#include <gtest/gtest.h>

#include <array>

namespace qdt::tunnel {
namespace {

constexpr Timestamp kStart{1000s};
constexpr std::size_t kTarget = BacklogWatch::kTargetBytes;

// A host that reads every millisecond for `period`: `found` bytes wait each time, `left` after it.
// How many of the packets that it reads meanwhile, two in a turn, have to go.
struct Host {
  Counters counters;
  BacklogWatch watch{counters};
  Timestamp now = kStart;
  std::array<std::uint8_t, 1400> packet{0x45};

  int dropped(std::size_t found, std::size_t left, Duration period, std::size_t packet_bytes = 1400,
              std::size_t read = 0) {
    int count = 0;
    for (const Timestamp end = now + period; now < end; now += 1ms) {
      watch.begin_turn(found, now);
      for (int i = 0; i < 2; ++i) {
        if (watch.must_drop(MutableBytes(packet).first(packet_bytes))) ++count;
      }
      watch.end_turn(left, read);
    }
    return count;
  }
  std::uint64_t dropped() const { return counters.drops.value(Drop::kTunQueueDelay); }
};

TEST(BacklogWatch, LetsStandWhatIsShort) {
  Host host;
  EXPECT_EQ(host.dropped(kTarget, kTarget * 9 / 10, 10s), 0);
}

TEST(BacklogWatch, DropsMoreAndMoreWhileMuchStands) {
  Host host;
  EXPECT_EQ(host.dropped(4 * kTarget, 3 * kTarget, 100ms), 0);
  const int first = host.dropped(4 * kTarget, 3 * kTarget, 1s);
  const int second = host.dropped(4 * kTarget, 3 * kTarget, 1s);
  EXPECT_GE(first, 10);
  EXPECT_GT(second, first + 10);
  EXPECT_EQ(host.dropped(), static_cast<std::uint64_t>(first + second));
}

// Twice as much in the same time, once it is known how much is read.
TEST(BacklogWatch, LetsMoreStandWhereMuchIsRead) {
  constexpr std::size_t kPerMillisecond = 1'000'000;  // 8 Gbit/s
  Host fast;
  EXPECT_EQ(fast.dropped(0, 0, 1s, 1400, kPerMillisecond), 0);
  EXPECT_EQ(fast.dropped(2 * kTarget, 2 * kTarget, 10s, 1400, kPerMillisecond), 0);
  EXPECT_GT(fast.dropped(3 * kTarget, 3 * kTarget, 1s, 1400, kPerMillisecond), 0);
  Host slow;
  EXPECT_GT(slow.dropped(2 * kTarget, 2 * kTarget, 1s, 1400, kPerMillisecond / 10), 0);
}

TEST(BacklogWatch, MarksWhoUnderstandsIt) {
  Host host;
  host.packet[1] = 0x02;  // ECT(0)
  EXPECT_EQ(host.dropped(4 * kTarget, 3 * kTarget, 120ms), 0);
  EXPECT_EQ(host.packet[1], 0x03);
  EXPECT_GT(host.counters.tun_congestion_marks.value(), 0u);
  EXPECT_EQ(host.dropped(), 0u);
}

TEST(BacklogWatch, NeverDropsSmallPackets) {
  Host host;
  EXPECT_EQ(host.dropped(4 * kTarget, 3 * kTarget, 1s, BacklogWatch::kLargePacket - 1), 0);
  EXPECT_GT(host.dropped(4 * kTarget, 3 * kTarget, 1s, BacklogWatch::kLargePacket), 0);
}

// With its turns on the processor: all of a window now, nothing a few milliseconds later.
TEST(BacklogWatch, SeesAQueueThatComesAndGoes) {
  Host host;
  int count = 0;
  for (int i = 0; i < 200; ++i) {
    count += host.dropped(6 * kTarget, 5 * kTarget, 2ms);
    count += host.dropped(kTarget / 8, 0, 3ms);
  }
  EXPECT_GE(count, 10);
}

// A host that is kept from its work for 5 ms in each 100, and catches up with what came meanwhile.
TEST(BacklogWatch, LetsABurstWait) {
  Host host;
  int count = 0;
  for (int i = 0; i < 100; ++i) {
    host.now += 4ms;  // beside the one that it would wait anyway
    count += host.dropped(8 * kTarget, 0, 1ms);
    count += host.dropped(kTarget / 8, 0, 95ms);
  }
  EXPECT_EQ(count, 0);
}

TEST(BacklogWatch, StopsWhenTheQueueIsGone) {
  Host host;
  ASSERT_GT(host.dropped(8 * kTarget, 8 * kTarget, 1s), 0);
  host.dropped(kTarget / 8, 0, BacklogWatch::kMemory * 4);  // the mean comes down
  EXPECT_EQ(host.dropped(kTarget / 8, 0, 10s), 0);
}

TEST(BacklogWatch, TakesNoIdleTimeForAQueue) {
  Host host;
  for (int i = 0; i < 100; ++i) {
    host.now += 1s;
    EXPECT_EQ(host.dropped(8 * kTarget, 0, 5ms), 0) << i;
  }
}

}  // namespace
}  // namespace qdt::tunnel
