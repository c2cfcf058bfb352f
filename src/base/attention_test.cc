#include "base/attention.h"

#include <gtest/gtest.h>

#include <array>

namespace qdt {
namespace {

struct Item {
  std::size_t noted_index = kNotNoted;
  Timestamp timer = kNever;
  std::size_t timer_index = kNoTimer;
};

class AttentionTest : public ::testing::Test {
 protected:
  std::array<Item, 3> items;
  Attention<Item> attention;
};

TEST_F(AttentionTest, HasEachItemOnceHoweverOftenItIsNoted) {
  attention.note(items[0]);
  attention.note(items[1]);
  attention.note(items[0]);
  EXPECT_EQ(attention.take(), &items[1]);
  EXPECT_EQ(attention.take(), &items[0]);
  EXPECT_EQ(attention.take(), nullptr);
  attention.note(items[0]);
  EXPECT_EQ(attention.take(), &items[0]) << "it has changed again";
}

TEST_F(AttentionTest, ForgetsAnItemInTheMiddle) {
  for (Item& item : items) attention.note(item);
  attention.set_timer(items[0], Timestamp(1s));
  attention.forget(items[0]);
  attention.forget(items[0]);
  EXPECT_EQ(attention.next_timeout(), kNever);
  std::size_t seen = 0;
  attention.for_each([&](Item& item) {
    EXPECT_NE(&item, &items[0]);
    ++seen;
  });
  EXPECT_EQ(seen, 2u);
  EXPECT_EQ(attention.take(), &items[1]);
  EXPECT_EQ(attention.take(), &items[2]);
  EXPECT_TRUE(attention.empty());
}

TEST_F(AttentionTest, TakesThoseWhoseTimeHasComeOnceEach) {
  attention.set_timer(items[0], Timestamp(3s));
  attention.set_timer(items[1], Timestamp(1s));
  attention.set_timer(items[2], Timestamp(2s));
  EXPECT_EQ(attention.next_timeout(), Timestamp(1s));
  EXPECT_EQ(attention.take_due(Timestamp(2s)), &items[1]);
  EXPECT_EQ(attention.take_due(Timestamp(2s)), &items[2]);
  EXPECT_EQ(attention.take_due(Timestamp(2s)), nullptr);
  attention.set_timer(items[0], kNever);
  EXPECT_EQ(attention.take_due(Timestamp(9s)), nullptr);
}

}  // namespace
}  // namespace qdt
