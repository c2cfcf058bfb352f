#include "plane/departure_log.h"

#include <gtest/gtest.h>

namespace qdt::plane {
namespace {

constexpr Timestamp kStart{1h};
constexpr std::uint32_t kPacketBytes = 1000;

// Packets of 1000 bytes, one each millisecond; the receiver's clock is 7 s ahead.
class DepartureLogTest : public ::testing::Test {
 protected:
  void send(std::uint64_t until) {
    for (; next <= until; ++next) log.on_packet(next, sent_at(next));
  }
  static Timestamp sent_at(std::uint64_t counter) { return kStart + counter * 1ms; }
  // That `packets` up to `highest` have arrived, `one_way` after they were sent; heard as much
  // later.
  static wire::Feedback about(std::uint64_t highest, std::uint32_t packets, Duration one_way = 10ms,
                              Duration held = 0ms) {
    const Timestamp arrived = sent_at(highest) + one_way + 7s;
    return {.highest = highest,
            .arrived_us = static_cast<std::uint32_t>(arrived.time_since_epoch() / 1us),
            .held_us = static_cast<std::uint32_t>(held / 1us),
            .packets = packets,
            .bytes = std::uint64_t{packets} * kPacketBytes};
  }
  std::expected<PathSample, Drop> receive_feedback(const wire::Feedback& feedback,
                                                   Duration back = 20ms) {
    return log.on_feedback(feedback, sent_at(feedback.highest) + back);
  }

  DepartureLog log;
  std::uint64_t next = 0;
};

TEST_F(DepartureLogTest, TakesTheTimeThatFeedbackWasHeldFromTheRoundTrip) {
  send(10);
  const auto sample = receive_feedback(about(10, 11, 10ms, 5ms), 25ms);
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->rtt, 20ms);
  EXPECT_EQ(log.rtt(), 20ms);
}

// A long path with much traffic needs all of it, a session that pings little.
TEST_F(DepartureLogTest, IsAsLargeAsTwoRoundTripsNeed) {
  const std::size_t least = log.memory_bytes();
  for (std::uint64_t second = 0; second < 100; ++second) {
    log.on_packet(second, kStart + second * 10s);
  }
  EXPECT_EQ(log.memory_bytes(), least);
  next = 100;
  const Timestamp begun = sent_at(1'000'000);
  for (std::uint64_t i = 0; i < 1000; ++i) log.on_packet(next++, begun + i * 1ms);
  EXPECT_GT(log.memory_bytes(), 8 * least);
  log.shrink(begun + 2s);
  EXPECT_GT(log.memory_bytes(), 8 * least) << "it may be busy again in a moment";
  log.shrink(begun + 10s);
  EXPECT_EQ(log.memory_bytes(), least);
}

TEST_F(DepartureLogTest, KnowsTheSameWhenItHasGrownAndShrunk) {
  send(500);
  ASSERT_TRUE(receive_feedback(about(3, 4), 20ms)) << "the first of many is still known";
  EXPECT_EQ(log.rtt(), 20ms);
  log.shrink(sent_at(500) + 6s);
  const auto sample = receive_feedback(about(490, 491), 6s);
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->rtt, 6s) << "the latest ones are kept";
}

TEST_F(DepartureLogTest, CountsWhatArrivedAndWhatDidNot) {
  send(100);
  ASSERT_TRUE(receive_feedback(about(10, 11)));
  auto feedback = about(100, 11 + 80);
  feedback.marked = 3;
  const auto sample = receive_feedback(feedback);
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->packets, 80u);
  EXPECT_EQ(sample->lost, 10u);
  EXPECT_EQ(sample->marked, 3u);
  EXPECT_EQ(sample->bytes, 80'000u);
  EXPECT_EQ(sample->over, 90ms);
  EXPECT_EQ(log.highest(), 100u);
  EXPECT_EQ(log.delivered_bytes(), 91'000u);
}

TEST_F(DepartureLogTest, CountsLateOnesAsArrived) {
  send(20);
  EXPECT_EQ(receive_feedback(about(10, 5))->lost, 6u);
  const auto sample = receive_feedback(about(20, 21));
  EXPECT_EQ(sample->packets, 16u);
  EXPECT_EQ(sample->lost, 0u);
}

TEST_F(DepartureLogTest, KnowsTheQueueByTheShortestDelay) {
  send(50);
  EXPECT_EQ(receive_feedback(about(10, 11, 30ms))->queue_delay, 0ms);
  EXPECT_EQ(receive_feedback(about(20, 21, 10ms))->queue_delay, 0ms);
  EXPECT_EQ(receive_feedback(about(30, 31, 25ms), 40ms)->queue_delay, 15ms);
}

TEST_F(DepartureLogTest, ForgetsTheShortestDelayAfterTwoWindows) {
  const auto queue_at = [this](std::uint32_t highest, Duration one_way) {
    send(highest);
    return receive_feedback(about(highest, highest + 1, one_way), 40ms)->queue_delay;
  };
  queue_at(0, 10ms);
  EXPECT_EQ(queue_at(30'000, 30ms), 20ms);
  EXPECT_EQ(queue_at(59'900, 30ms), 20ms);
  EXPECT_EQ(queue_at(60'000, 30ms), 0ms);
}

TEST_F(DepartureLogTest, CopesWithTheWrapOfTheReceiversClock) {
  send(20);
  wire::Feedback feedback = about(10, 11);
  feedback.arrived_us = 0xffff'ff00;
  ASSERT_TRUE(receive_feedback(feedback));
  feedback = about(20, 21);
  feedback.arrived_us = 9744 + 5000;  // 15 ms later, 5 ms more than there should be
  const auto sample = receive_feedback(feedback, 30ms);
  EXPECT_EQ(sample->over, 15ms);
  EXPECT_EQ(sample->queue_delay, 5ms);
}

TEST_F(DepartureLogTest, CopesWithTheWrapOfCounts) {
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 32;
  log.on_packet(kWrap - 10, kStart);
  ASSERT_TRUE(log.on_feedback({.highest = kWrap - 10,
                               .packets = static_cast<std::uint32_t>(kWrap - 9),
                               .bytes = (kWrap - 9) * 100,
                               .marked = static_cast<std::uint32_t>(kWrap - 9)},
                              kStart + 20ms));
  log.on_packet(kWrap + 10, kStart + 20ms);
  const auto sample = log.on_feedback(
      {.highest = kWrap + 10, .packets = 11, .bytes = (kWrap + 11) * 100, .marked = 1},
      kStart + 40ms);
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->packets, 20u);
  EXPECT_EQ(sample->marked, 10u);
  EXPECT_EQ(sample->lost, 0u);
}

// A receiver's clock goes on while this host sleeps, and whatever a peer claims: nothing arrived in
// more time than there was.
TEST_F(DepartureLogTest, BelievesInNoMoreTimeThanHasPassed) {
  for (const Duration lie : {Duration(-3ms), Duration(20min)}) {  // one way
    log = {};
    next = 0;
    send(20);
    ASSERT_TRUE(receive_feedback(about(10, 11)));
    const auto sample = receive_feedback(about(20, 21, lie));
    ASSERT_TRUE(sample);
    EXPECT_LE(sample->over, 30ms) << lie / 1ms;
  }
}

TEST_F(DepartureLogTest, KnowsNoDelayOfWhatLeftLongAgo) {
  send(1000);
  const auto sample = receive_feedback(about(100, 101));
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->rtt, 0ms);
  EXPECT_EQ(log.rtt(), 0ms);
}

TEST_F(DepartureLogTest, RemembersTwoRoundTripsOfManyPackets) {
  Timestamp now = kStart;
  std::uint64_t counter = 0;
  log.on_packet(counter++, now);
  ASSERT_TRUE(log.on_feedback({.highest = 0, .packets = 1, .bytes = 1000}, now + 40ms));
  now += 40ms;
  for (; now < kStart + 120ms; now += 1us) log.on_packet(counter++, now);
  const wire::Feedback feedback = {
      .highest = 100, .packets = 101, .bytes = 101'000};  // sent 80 ms ago
  const auto sample = log.on_feedback(feedback, now);
  ASSERT_TRUE(sample);
  EXPECT_NEAR(static_cast<double>(sample->rtt / 1us), 79'900, 200);
}

TEST_F(DepartureLogTest, BelievesNoContradictions) {
  send(100);
  ASSERT_TRUE(receive_feedback(about(50, 51)));
  const auto refused = [&](auto&& lie) {
    wire::Feedback feedback = about(90, 91);
    lie(feedback);
    const auto sample = log.on_feedback(feedback, sent_at(90) + 20ms);
    return !sample && sample.error() == Drop::kBadFeedback && log.highest() == 50 &&
           log.delivered_bytes() == 51'000 && log.rtt() == 20ms;
  };
  EXPECT_TRUE(refused([](auto& lie) { lie.highest = 101; })) << "not sent yet";
  EXPECT_TRUE(refused([](auto& lie) { lie.packets = 51; })) << "nothing new";
  EXPECT_TRUE(refused([](auto& lie) { lie.packets = 50; })) << "fewer";
  EXPECT_TRUE(refused([](auto& lie) { lie.packets = 91 + 8193; })) << "more than were sent";
  EXPECT_TRUE(refused([](auto& lie) { lie.bytes = 50'999; })) << "fewer bytes";
  EXPECT_TRUE(refused([](auto& lie) { lie.bytes = 51'000 + 40 * 28; })) << "less than headers";
  EXPECT_TRUE(refused([](auto& lie) { lie.bytes = 51'000 + 40 * 1473; })) << "larger than any";
  EXPECT_TRUE(refused([](auto& lie) { lie.marked = 41; })) << "more marks than packets";
  EXPECT_TRUE(refused([](auto& lie) { lie.held_us = 20'001; })) << "held since before it left";
  EXPECT_FALSE(refused([](auto&) {})) << "and this is true";
}

TEST_F(DepartureLogTest, KnowsOldNewsFromLies) {
  send(100);
  ASSERT_TRUE(receive_feedback(about(50, 51)));
  EXPECT_EQ(receive_feedback(about(50, 51)).error(), Drop::kReplayed);
  EXPECT_EQ(receive_feedback(about(40, 41)).error(), Drop::kReplayed);
}

TEST_F(DepartureLogTest, ForgetsDelaysWithThePath) {
  send(100);
  ASSERT_TRUE(receive_feedback(about(10, 11, 10ms)));
  log.forget_path();
  EXPECT_EQ(log.rtt(), 0ms);
  EXPECT_EQ(receive_feedback(about(20, 21, 90ms), 100ms)->queue_delay, 0ms);
  EXPECT_EQ(log.rtt(), 100ms);
}

}  // namespace
}  // namespace qdt::plane
