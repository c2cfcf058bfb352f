#include "tunnel/queue_lengths.h"

#include <gtest/gtest.h>

#include <set>

namespace qdt::tunnel {
namespace {

struct Queue : QueueLengths::Place {};

TEST(QueueLengths, FindsALongest) {
  QueueLengths lengths;
  Queue queues[3];
  EXPECT_EQ(lengths.longest(), nullptr);
  lengths.set(queues[0], 20);
  lengths.set(queues[1], 500);
  lengths.set(queues[2], 100);
  EXPECT_EQ(lengths.longest(), &queues[1]);
  lengths.set(queues[1], 10);
  EXPECT_EQ(lengths.longest(), &queues[2]);
  lengths.set(queues[2], 0);
  EXPECT_EQ(lengths.longest(), &queues[0]);
  lengths.set(queues[0], QueueLengths::kShort - 1);
  EXPECT_EQ(lengths.longest(), &queues[1]);
  lengths.set(queues[1], 0);
  EXPECT_EQ(lengths.longest(), nullptr);
}

TEST(QueueLengths, TakesTurnsAmongEqualOnes) {
  QueueLengths lengths;
  Queue queues[5];
  for (Queue& queue : queues) lengths.set(queue, 1000);
  std::set<QueueLengths::Place*> seen;
  for (int i = 0; i < 5; ++i) seen.insert(lengths.longest());
  EXPECT_EQ(seen.size(), 5u);
  for (int i = 0; i < 4; ++i) lengths.set(queues[i], 0);
  EXPECT_EQ(lengths.longest(), &queues[4]);
}

TEST(QueueLengths, BearsAnyLength) {
  QueueLengths lengths;
  Queue queue;
  lengths.set(queue, SIZE_MAX);
  EXPECT_EQ(lengths.longest(), &queue);
}

}  // namespace
}  // namespace qdt::tunnel
