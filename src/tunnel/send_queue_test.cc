#include "tunnel/send_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "support/seeded_random.h"

namespace qdt::tunnel {
namespace {

constexpr Timestamp kStart{1000s};
constexpr std::uint64_t kBulk = 1, kOther = 2, kPing = 3;  // flows, which the tests' seed separates

class SendQueueTest : public ::testing::Test {
 protected:
  bool push(std::string_view packet, std::uint64_t flow = kBulk, Timestamp now = kStart) {
    return queue_.push(as_bytes(packet), flow, now);
  }
  // The next `count` packets, with a space between them.
  std::string take(int count, Timestamp now = kStart) {
    std::string all;
    for (int i = 0; i < count; ++i) {
      const Bytes packet = queue_.front(now);
      if (packet.empty()) break;
      all += (i == 0 ? "" : " ") + std::string(as_text(packet));
      queue_.pop();
    }
    return all;
  }

  Counters counters_;
  PacketPool pool_{100, 64};
  SendQueue queue_{pool_, {.max_packets = 10, .quantum_bytes = 4}, counters_};
};

TEST_F(SendQueueTest, KeepsAFlowInOrder) {
  for (const char* packet : {"1aaa", "2", "3aa", "4"}) EXPECT_TRUE(push(packet));
  EXPECT_EQ(take(2), "1aaa 2");
  EXPECT_TRUE(push("5"));
  EXPECT_EQ(take(9), "3aa 4 5");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(SendQueueTest, KeepsTheFrontUntilItIsGone) {
  push("bulk");
  EXPECT_EQ(as_text(queue_.front(kStart)), "bulk");
  push("ping", kPing);
  EXPECT_EQ(as_text(queue_.front(kStart)), "bulk");
  EXPECT_EQ(take(2), "bulk ping");
}

TEST_F(SendQueueTest, TakesWhatWaitedWhileItSparedForNew) {
  Timestamp now = kStart;
  // Eight packets stand, one leaves each 10 ms; how many went otherwise.
  const auto dropped_within = [&](Duration duration) {
    std::size_t dropped = 0;
    for (const Timestamp end = now + duration; now < end; now += 10ms) {
      while (queue_.size() < 8) push("Ed..", kBulk, now);  // IPv4, without ECN
      take(1, now);
      dropped += 7 - queue_.size();
    }
    return dropped;
  };
  EXPECT_GT(dropped_within(400ms), 0);
  queue_.pause_dropping(true);
  EXPECT_EQ(dropped_within(1s), 0);
  queue_.pause_dropping(false);
  EXPECT_EQ(dropped_within(Codel::kInterval), 0);
  EXPECT_GT(dropped_within(400ms), 0);
}

TEST_F(SendQueueTest, LetsANewFlowGoFirst) {
  for (const char* packet : {"b1..", "b2..", "b3..", "b4.."}) push(packet);
  EXPECT_EQ(take(1), "b1..");
  push("ping", kPing);
  EXPECT_EQ(take(3), "ping b2.. b3..");
}

TEST_F(SendQueueTest, GivesFlowsTurnsByTheirBytes) {
  for (const char* packet : {"b1..", "b2..", "b3.."}) push(packet, kBulk);
  for (const char* packet : {"o1", "o2", "o3", "o4", "o5"}) push(packet, kOther);
  EXPECT_EQ(take(8), "b1.. o1 o2 b2.. o3 o4 b3.. o5");
}

TEST_F(SendQueueTest, DoesNotLetAFlowThatComesAndGoesStarveTheOthers) {
  for (int i = 0; i < 5; ++i) push("bulk");
  int pings = 0;
  for (int i = 0; i < 8; ++i) {
    push("ping", kPing);
    pings += take(1) == "ping" ? 1 : 0;
  }
  EXPECT_EQ(pings, 4);  // every other turn
}

TEST(SendQueueFlows, KeepsAPingApartFromEachOfManyTransfers) {
  Counters counters;
  PacketPool pool(4, 64);
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SendQueue queue(pool, {.quantum_bytes = 1, .seed = seed}, counters);
    for (int packet = 0; packet < 2; ++packet) {
      for (std::uint64_t flow = 1; flow <= 16; ++flow) queue.push(as_bytes("b"), flow, kStart);
    }
    for (int i = 0; i < 16; ++i) {  // now none of them is new
      queue.front(kStart);
      queue.pop();
    }
    queue.push(as_bytes("p"), 100, kStart);
    EXPECT_EQ(as_text(queue.front(kStart)), "p") << "seed " << seed;
  }
}

TEST(SendQueueFlows, SharesNoLongerThanItHasTo) {
  Counters counters;
  PacketPool pool(4, 1024);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SendQueue queue(pool, {.quantum_bytes = 1, .seed = seed}, counters);
    for (std::uint64_t flow = 1; flow < 500; ++flow) queue.push(as_bytes("o"), flow, kStart);
    // One of them goes on.
    for (int i = 0; i < 500; ++i) queue.push(as_bytes("b"), 1, kStart);
    for (int others = 0; others < 499; queue.pop()) others += as_text(queue.front(kStart)) == "o";
    for (std::uint64_t flow = 500; flow < 700; ++flow) {
      EXPECT_EQ(as_text(queue.front(kStart)), "b");
      queue.pop();
      queue.push(as_bytes("p"), flow, kStart);
      EXPECT_EQ(as_text(queue.front(kStart)), "p") << "seed " << seed << ", flow " << flow;
      queue.pop();
    }
  }
}

TEST(SendQueueFlows, NeverReordersOneHoweverManyThereAre) {
  constexpr std::uint64_t kManyFlows = 400;
  Counters counters;
  PacketPool pool(8, 4096);
  SendQueue queue(pool, {.max_packets = 4096, .quantum_bytes = 8}, counters);
  testing::SeededRandom random(1);
  std::array<std::uint32_t, kManyFlows> pushed{}, taken{};
  for (int round = 0; round < 20000; ++round) {
    // Now more and now fewer wait than there are places.
    const bool is_filling = round / 1000 % 2 == 0;
    if (queue.empty() || random.below(10) < (is_filling ? 6u : 4u)) {
      const auto flow = static_cast<std::uint32_t>(random.below(kManyFlows));
      std::array<std::uint8_t, 8> packet;
      store_be<std::uint32_t>(&packet[0], flow);
      store_be<std::uint32_t>(&packet[4], ++pushed[flow]);
      ASSERT_TRUE(queue.push(packet, flow, kStart));
    } else {
      const Bytes packet = queue.front(kStart);
      const auto flow = load_be<std::uint32_t>(&packet[0]);
      ASSERT_EQ(load_be<std::uint32_t>(&packet[4]), ++taken[flow]) << "flow " << flow;
      queue.pop();
    }
  }
}

TEST_F(SendQueueTest, DropsFromTheLargestFlowsHeadWhenItIsFull) {
  for (int i = 0; i < 9; ++i) push("b" + std::to_string(i) + "..");
  push("ping", kPing);
  EXPECT_TRUE(push("query", kOther));
  EXPECT_EQ(queue_.size(), 10u);
  EXPECT_EQ(counters_.drops.value(Drop::kQueueFull), 1u);
  EXPECT_EQ(take(3), "b1.. ping query");
}

TEST_F(SendQueueTest, RefusesWhatNothingCanMakeRoomFor) {
  EXPECT_FALSE(push(std::string(101, 'x')));
  SendQueue none(pool_, {.max_packets = 0}, counters_);
  EXPECT_FALSE(none.push(as_bytes("x"), kBulk, kStart));
  EXPECT_TRUE(none.front(kStart).empty());
}

TEST_F(SendQueueTest, SharesThePoolWithOthers) {
  PacketPool pool(16, 2);
  SendQueue queue(pool, {.max_packets = 10, .quantum_bytes = 4}, counters_);
  {
    SendQueue other(pool, {.max_packets = 10, .quantum_bytes = 4}, counters_);
    EXPECT_TRUE(other.push(as_bytes("1"), kBulk, kStart));
    EXPECT_TRUE(other.push(as_bytes("2"), kBulk, kStart));
    EXPECT_FALSE(other.front(kStart).empty());
    EXPECT_TRUE(queue.push(as_bytes("3"), kBulk, kStart));
    EXPECT_TRUE(queue.push(as_bytes("4"), kBulk, kStart));  // nobody else has one to spare
    EXPECT_EQ(queue.size(), 1u);
    EXPECT_EQ(as_text(queue.front(kStart)), "4");
    EXPECT_FALSE(queue.push(as_bytes("5"), kBulk, kStart));  // nobody at all
  }
  EXPECT_TRUE(queue.push(as_bytes("5"), kBulk, kStart));  // what the other had came back
}

TEST_F(SendQueueTest, TheLongestQueueGivesWayAndNotTheNewcomer) {
  PacketPool pool(16, 100);
  SendQueue longest(pool, {.max_packets = 100, .quantum_bytes = 4}, counters_);
  SendQueue shorter(pool, {.max_packets = 100, .quantum_bytes = 4}, counters_);
  for (int i = 0; i < 70; ++i) EXPECT_TRUE(longest.push(as_bytes("long"), kBulk, kStart));
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(shorter.push(as_bytes("short"), kBulk, kStart));
  SendQueue newcomer(pool, {.max_packets = 100, .quantum_bytes = 4}, counters_);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(newcomer.push(as_bytes("new"), kBulk, kStart));
  EXPECT_EQ(newcomer.size(), 20u);
  EXPECT_EQ(shorter.size(), 30u);
  EXPECT_EQ(longest.size() + counters_.drops.value(Drop::kQueuesFull), 70u);
  EXPECT_EQ(counters_.drops.value(Drop::kQueueFull), 0u);
}

TEST_F(SendQueueTest, GivesWayInItsLargestFlow) {
  PacketPool pool(16, 20);
  SendQueue queue(pool, {.max_packets = 100, .quantum_bytes = 4}, counters_);
  EXPECT_TRUE(queue.push(as_bytes("ping"), kPing, kStart));
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(queue.push(as_bytes("bulk"), kBulk, kStart));
  EXPECT_EQ(as_text(queue.front(kStart)), "ping");
  EXPECT_LE(queue.size(), 20u);
}

TEST_F(SendQueueTest, DropsWhatIsOlderThanATime) {
  push("b1..", kBulk, kStart);
  push("o1..", kOther, kStart + 1s);
  push("b2..", kBulk, kStart + 2s);
  queue_.drop_older_than(kStart);
  EXPECT_EQ(queue_.size(), 3u);
  queue_.drop_older_than(kStart + 1500ms);
  EXPECT_EQ(counters_.drops.value(Drop::kQueueStale), 2u);
  EXPECT_EQ(take(9, kStart + 2s), "b2..");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(SendQueueTest, KeepsThePacketAtHandHoweverOld) {
  push("b1..");
  push("b2..");
  EXPECT_EQ(as_text(queue_.front(kStart)), "b1..");
  queue_.drop_older_than(kStart + 1h);
  EXPECT_EQ(take(9), "b1..");
}

TEST_F(SendQueueTest, DropsOrMarksWhatStandsTooLong) {
  const std::array<std::uint8_t, 2> plain = {0x45, 0x00};
  std::vector<std::uint8_t> capable(20, 0);
  capable[0] = 0x45;
  capable[1] = 0x02;  // ECT(0)
  SendQueue queue(pool_, {.max_packets = 60, .quantum_bytes = 4}, counters_);
  int left = 0, marked = 0;
  for (int i = 0; i < 20; ++i) queue.push(plain, kBulk, kStart);
  for (int i = 0; i < 20; ++i) queue.push(capable, kOther, kStart);
  for (Timestamp now = kStart + 10ms; !queue.empty(); now += 20ms) {
    const Bytes packet = queue.front(now);
    if (packet.empty()) break;
    ++left;
    if (packet[1] == 0x03) ++marked;
    queue.pop();
  }
  EXPECT_GT(marked, 0);
  EXPECT_EQ(counters_.congestion_marks.value(), static_cast<std::uint64_t>(marked));
  EXPECT_GT(counters_.drops.value(Drop::kQueueDelay), 0u);
  EXPECT_EQ(left + counters_.drops.value(Drop::kQueueDelay), 40u);
}

TEST_F(SendQueueTest, TellsHowLongItStood) {
  EXPECT_EQ(queue_.take_standing_delay(), 0ms);
  for (int i = 0; i < 4; ++i) push("bulk");
  take(1, kStart + 3ms);
  take(1, kStart + 2ms);
  EXPECT_EQ(queue_.take_standing_delay(), 2ms);
  take(2, kStart + 9ms);
  EXPECT_EQ(queue_.take_standing_delay(), 0ms);  // it was empty for a moment
}

TEST_F(SendQueueTest, GivesNothingBackThatIsInUse) {
  queue_.shrink();  // nothing has ever come
  push("one");
  queue_.shrink();  // something has come since
  queue_.shrink();  // something waits
  EXPECT_FALSE(queue_.front(kStart).empty());
  queue_.pop();
  EXPECT_TRUE(queue_.front(kStart).empty());
  push("two");
  EXPECT_FALSE(queue_.front(kStart).empty());
  queue_.pop();
  queue_.shrink();
  queue_.shrink();  // now it does
  push("three");
  EXPECT_FALSE(queue_.front(kStart).empty());
  queue_.pop();
  EXPECT_TRUE(queue_.empty());
}

}  // namespace
}  // namespace qdt::tunnel
