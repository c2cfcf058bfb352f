#include "base/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

namespace qdt {
namespace {

struct Item {
  Timestamp timer = kNever;
  std::size_t timer_index = kNoTimer;
};

Timestamp at(int milliseconds) {
  return Timestamp(std::chrono::milliseconds(milliseconds));
}

TEST(TimerHeap, FindsTheSoonest) {
  std::array<Item, 3> items;
  TimerHeap<Item> heap;
  EXPECT_EQ(heap.next(), kNever);
  heap.set(items[0], at(30));
  heap.set(items[1], at(10));
  heap.set(items[2], at(20));
  EXPECT_EQ(heap.next(), at(10));
  EXPECT_EQ(&heap.front(), &items[1]);
}

TEST(TimerHeap, MovesAndRemoves) {
  std::array<Item, 3> items;
  TimerHeap<Item> heap;
  for (int i = 0; i < 3; ++i) heap.set(items[static_cast<std::size_t>(i)], at(10 * i));
  heap.set(items[0], at(50));
  EXPECT_EQ(heap.next(), at(10));
  heap.set(items[1], kNever);
  EXPECT_EQ(heap.next(), at(20));
  heap.remove(items[1]);
  heap.remove(items[2]);
  heap.remove(items[0]);
  EXPECT_TRUE(heap.empty());
}

TEST(TimerHeap, StaysInOrderUnderRandomChanges) {
  constexpr unsigned kSeed = 11;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  std::array<Item, 100> items;
  TimerHeap<Item> heap;
  for (int i = 0; i < 20'000; ++i) {
    Item& item = items[random() % items.size()];
    heap.set(item, random() % 4 == 0 ? kNever : at(static_cast<int>(random() % 1000)));
    Timestamp soonest = kNever;
    for (const Item& each : items) {
      if (each.timer_index != kNoTimer) soonest = std::min(soonest, each.timer);
    }
    ASSERT_EQ(heap.next(), soonest);
  }
}

}  // namespace
}  // namespace qdt
