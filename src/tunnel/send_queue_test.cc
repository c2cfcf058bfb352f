#include "tunnel/send_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace qdt::tunnel {
namespace {

TEST(SendQueue, IsFirstInFirstOut) {
  PacketPool pool(100, 64);
  SendQueue queue(pool, 10);
  EXPECT_TRUE(queue.push(as_bytes("one")));
  EXPECT_TRUE(queue.push(as_bytes("two")));
  EXPECT_EQ(as_text(queue.front()), "one");
  queue.pop();
  EXPECT_EQ(as_text(queue.front()), "two");
  queue.pop();
  EXPECT_TRUE(queue.empty());
}

TEST(SendQueue, RefusesWhatIsAboveItsBound) {
  PacketPool pool(100, 64);
  SendQueue queue(pool, 2);
  EXPECT_TRUE(queue.push(as_bytes("1")));
  EXPECT_TRUE(queue.push(as_bytes("2")));
  EXPECT_FALSE(queue.push(as_bytes("3")));
  EXPECT_EQ(queue.size(), 2u);
}

TEST(SendQueue, RefusesAPacketLargerThanABuffer) {
  PacketPool pool(4, 64);
  SendQueue queue(pool, 2);
  EXPECT_FALSE(queue.push(as_bytes("12345")));
}

TEST(SendQueue, KeepsItsOrderWhileItGrowsAndWraps) {
  PacketPool pool(16, 1000);
  SendQueue queue(pool, 1000);
  int in = 0, out = 0;
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 7; ++i) ASSERT_TRUE(queue.push(as_bytes(std::to_string(in++))));
    for (int i = 0; i < 3; ++i, queue.pop()) {
      ASSERT_EQ(as_text(queue.front()), std::to_string(out++));
    }
  }
  for (; !queue.empty(); queue.pop()) ASSERT_EQ(as_text(queue.front()), std::to_string(out++));
  EXPECT_EQ(in, out);
}

TEST(PacketPool, IsSharedAndBounded) {
  PacketPool pool(16, 3);
  SendQueue greedy(pool, 10);
  {
    SendQueue other(pool, 10);
    EXPECT_TRUE(other.push(as_bytes("x")));
    EXPECT_TRUE(greedy.push(as_bytes("1")));
    EXPECT_TRUE(greedy.push(as_bytes("2")));
    EXPECT_FALSE(greedy.push(as_bytes("3")));
  }
  EXPECT_TRUE(greedy.push(as_bytes("3")));  // what the other queue had came back
}

}  // namespace
}  // namespace qdt::tunnel
