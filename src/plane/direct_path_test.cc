#include "plane/direct_path.h"

#include <gtest/gtest.h>

#include "wire/direct_packet.h"

namespace qdt::plane {
namespace {

constexpr Timestamp kStart{1h};
constexpr Duration kRtt = 40ms;

UdpPath from(std::uint16_t port) {
  return {{IpAddress::v4(1), 443}, {IpAddress::v4(2), port}};
}

class DirectPathTest : public ::testing::Test {
 protected:
  // Sends so many packets of `bytes` each.
  void send(std::size_t bytes, std::uint64_t packets = 1) {
    for (; packets > 0; --packets) {
      path.expect_answer(next, now);
      path.on_sent(next++, bytes, /*has_packets=*/true, now);
    }
  }
  // The peer tells, a round trip later, of all that was sent, `lost` of which did not come.
  std::expected<DirectPath::News, Drop> tell(std::uint32_t arrived, std::size_t bytes) {
    now += kRtt;
    total.highest = next - 1;
    total.packets += arrived;
    total.bytes += arrived * bytes;
    total.arrived_us += static_cast<std::uint32_t>(between_arrivals / 1us);
    return path.on_feedback(total, next, kRtt, now);
  }
  void go_on_elsewhere() { path = DirectPath(from(2), path, path.rtt()); }

  DirectPath path{from(1), /*has_shaper=*/true};
  std::uint64_t next = 0;
  Duration between_arrivals = kRtt;  // by the peer's clock
  wire::Feedback total;
  Timestamp now = kStart;
};

TEST_F(DirectPathTest, GoesOnElsewhereWithItsCountsAlone) {
  send(1000, 10);
  ASSERT_TRUE(tell(10, 1000));
  go_on_elsewhere();
  EXPECT_EQ(path.address(), from(2));
  EXPECT_EQ(path.delivered_bytes(), 10'000u);
  EXPECT_EQ(path.highest_delivered(), 9u);
  EXPECT_EQ(path.rtt(), Duration::zero()) << "not measured yet";
  EXPECT_EQ(path.earlier_rtt(), kRtt);
  send(1000, 5);
  ASSERT_TRUE(tell(5, 1000));
  EXPECT_EQ(path.delivered_bytes(), 15'000u);
  EXPECT_EQ(path.rtt(), kRtt);
}

// The peer drops packets of a session that has yet to begin on its side.
TEST_F(DirectPathTest, CountsNothingLostBeforeThePeerHasBegun) {
  send(100, 3);
  ASSERT_TRUE(tell(1, 100));
  EXPECT_EQ(path.packets_arrived(), 1u);
  EXPECT_EQ(path.packets_lost(), 0u);
  send(100, 3);
  ASSERT_TRUE(tell(1, 100));
  EXPECT_EQ(path.packets_lost(), 2u);
  go_on_elsewhere();
  send(100, 3);
  ASSERT_TRUE(tell(2, 100));
  EXPECT_EQ(path.packets_arrived(), 4u);
  EXPECT_EQ(path.packets_lost(), 3u);
}

TEST_F(DirectPathTest, StillWantsAnAnswerElsewhere) {
  send(1000);
  const Timestamp due = path.answer_due(kRtt);
  go_on_elsewhere();
  EXPECT_EQ(path.answer_due(kRtt), due);
  path.forget_unanswered();
  EXPECT_EQ(path.answer_due(kRtt), kNever);
}

TEST_F(DirectPathTest, IsAsPatientElsewhereAsItsSlowestAnswerWas) {
  send(1000);
  now += 4s;
  path.on_answer(now);
  EXPECT_EQ(path.patience(kRtt), 6s);
  go_on_elsewhere();
  EXPECT_EQ(path.patience(kRtt), 6s);
}

TEST_F(DirectPathTest, DoubtsLargePacketsOnlyWhereTheySeemToBeLost) {
  send(1400, 4);
  path.on_silence();
  const auto all_came = tell(4, 1400);
  ASSERT_TRUE(all_came);
  EXPECT_FALSE(all_came->misses_large) << "late";
  send(1400, 4);
  path.on_silence();
  send(100);
  const auto one_came = tell(1, 100);
  ASSERT_TRUE(one_came);
  EXPECT_TRUE(one_came->misses_large);
}

TEST_F(DirectPathTest, ForgetsElsewhereWhichLargePacketsWereLost) {
  send(1400);
  send(100);
  EXPECT_FALSE(tell(1, 100)->is_hole) << "one is chance";
  go_on_elsewhere();
  send(1400);
  send(100);
  EXPECT_FALSE(tell(1, 100)->is_hole) << "and on another path";
  send(1400);
  send(100);
  EXPECT_TRUE(tell(1, 100)->is_hole);
}

TEST_F(DirectPathTest, LimitsNothingElsewhere) {
  send(1000, 100);
  ASSERT_TRUE(tell(100, 1000));
  between_arrivals += 100ms;  // a queue, which stands from now on
  for (int i = 0; i < 20 && path.shaper().rate() == 0; ++i) {
    send(1000, 100);
    ASSERT_TRUE(tell(100, 1000));
    between_arrivals = kRtt;
  }
  ASSERT_GT(path.shaper().rate(), 0);
  EXPECT_FALSE(path.may_send(now));
  go_on_elsewhere();
  EXPECT_EQ(path.shaper().rate(), 0);
  EXPECT_TRUE(path.may_send(now));
}

TEST_F(DirectPathTest, TakesNoFeedbackThatCannotBeTrue) {
  send(1000, 3);
  const auto more_than_was_sent = tell(4, 1000 * 1000);
  EXPECT_EQ(more_than_was_sent.error(), Drop::kBadFeedback);
  EXPECT_EQ(path.delivered_bytes(), 0u);
}

}  // namespace
}  // namespace qdt::plane
