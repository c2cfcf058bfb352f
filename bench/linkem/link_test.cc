#include "linkem/link.h"

#include <gtest/gtest.h>

#include <vector>

namespace qdt::linkem {
namespace {

constexpr Timestamp kStart{100s};

// The fates of `count` packets of 1250 bytes, 10,000 bits, one each `interval`.
std::vector<Link::Fate> send(Link& link, int count, Duration interval) {
  std::vector<Link::Fate> fates;
  for (int i = 0; i < count; ++i) fates.push_back(link.send(1250, kStart + i * interval));
  return fates;
}

std::size_t lost(const std::vector<Link::Fate>& fates) {
  return static_cast<std::size_t>(
      std::ranges::count_if(fates, [](const auto& fate) { return fate.copies == 0; }));
}

TEST(Link, Delays) {
  Link link({.delay = 20ms}, 1);
  EXPECT_EQ(link.send(1250, kStart).time, kStart + 20ms);
}

TEST(Link, SendsAtItsRate) {
  Link link({.bits_per_second = 10e6, .delay = 20ms}, 1);
  EXPECT_EQ(link.send(1250, kStart).time, kStart + 21ms);
  EXPECT_EQ(link.send(1250, kStart).time, kStart + 22ms);
  EXPECT_EQ(link.send(1250, kStart + 5ms).time, kStart + 26ms);
}

TEST(Link, DropsWhatItsQueueDoesNotHold) {
  Link link({.bits_per_second = 10e6, .queue = 50ms}, 1);
  EXPECT_EQ(lost(send(link, 60, 0ms)), 10u);
  EXPECT_EQ(link.send(1250, kStart + 50ms).copies, 1);
}

TEST(Link, TakesAPacketThatIsLongerThanItsQueue) {
  Link link({.bits_per_second = 10e3, .queue = 1ms}, 1);
  EXPECT_EQ(link.send(1250, kStart).time, kStart + 1s);
  EXPECT_EQ(link.send(1250, kStart).copies, 0);
}

TEST(Link, LosesItsShare) {
  Link link({.loss = 0.1}, 1);
  EXPECT_NEAR(static_cast<double>(lost(send(link, 100000, 1ms))), 10000, 500);
}

TEST(Link, LosesInRowsOfTheirMeanLength) {
  Link link({.loss = 0.1, .mean_loss_packets = 5}, 1);
  const auto fates = send(link, 200000, 1ms);
  int rows = 0;
  for (std::size_t i = 1; i < fates.size(); ++i) {
    if (fates[i].copies == 0 && fates[i - 1].copies > 0) ++rows;
  }
  const double all = static_cast<double>(lost(fates));
  EXPECT_NEAR(all, 20000, 2000);
  EXPECT_NEAR(all / rows, 5, 0.5);
}

TEST(Link, KeepsTheOrderDespiteJitter) {
  Link link({.delay = 10ms, .jitter = 20ms}, 1);
  const auto fates = send(link, 1000, 1ms);
  EXPECT_TRUE(std::ranges::is_sorted(fates, {}, &Link::Fate::time));
  EXPECT_LE(fates[0].time, kStart + 30ms);
}

TEST(Link, ReordersAndDuplicates) {
  Link link({.delay = 10ms, .reordered = 0.1, .reorder_delay = 5ms, .duplicated = 0.1}, 1);
  const auto fates = send(link, 10000, 1ms);
  int late = 0, doubled = 0;
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (fates[i].time == kStart + static_cast<int>(i) * 1ms + 15ms) ++late;
    if (fates[i].copies == 2) ++doubled;
  }
  EXPECT_NEAR(late, 1000, 150);
  EXPECT_NEAR(doubled, 1000, 150);
}

TEST(Link, SwallowsWhatIsTooLarge) {
  Link link({.max_packet_bytes = 1300}, 1);
  EXPECT_EQ(link.send(1300, kStart).copies, 1);
  EXPECT_EQ(link.send(1301, kStart).copies, 0);
}

TEST(Link, IsTheSameForTheSameSeed) {
  const LinkOptions options{.jitter = 5ms, .loss = 0.2, .duplicated = 0.1};
  Link one(options, 7), other(options, 7);
  for (int i = 0; i < 1000; ++i) {
    const auto a = one.send(100, kStart), b = other.send(100, kStart);
    ASSERT_EQ(a.copies, b.copies);
    ASSERT_EQ(a.time, b.time);
  }
}

}  // namespace
}  // namespace qdt::linkem
