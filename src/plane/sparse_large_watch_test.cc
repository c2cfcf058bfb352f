#include "plane/sparse_large_watch.h"

#include <gtest/gtest.h>

namespace qdt::plane {
namespace {

class SparseLargeWatchTest : public ::testing::Test {
 protected:
  // A large packet and two small ones; whether the large one arrives.
  bool send(bool large_arrives, std::uint32_t larges = 1) {
    const std::uint64_t before = counter;
    for (std::uint32_t i = 0; i < larges; ++i) watch.on_large(++counter);
    counter += 2;
    const std::uint32_t arrived = large_arrives ? larges : 0;
    return watch.on_sample(
        {.bytes = 200 + 1300 * arrived, .packets = 2 + arrived, .lost = larges - arrived}, before,
        counter);
  }
  SparseLargeWatch watch;
  std::uint64_t counter = 0;
};

TEST_F(SparseLargeWatchTest, SuspectsAHoleAfterFourLargeOnesAmongSmallOnes) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(send(false));
  EXPECT_TRUE(send(false));
  EXPECT_FALSE(send(false)) << "it began anew";
}

TEST_F(SparseLargeWatchTest, SuspectsNothingWhenOneComesThrough) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(send(i % 4 == 3));
}

TEST_F(SparseLargeWatchTest, TakesAnOutageForOneLoss) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(send(false, 12));
    EXPECT_FALSE(send(true));
  }
}

TEST_F(SparseLargeWatchTest, SaysNothingOfFeedbackAboutSmallOnesAlone) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(send(false));
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(watch.on_sample({.bytes = 300, .packets = 3, .lost = 2}, counter, counter + 5));
    counter += 5;
  }
}

TEST_F(SparseLargeWatchTest, LeavesManyLargeOnesToLargeWatch) {
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t before = counter;
    for (int j = 0; j < 40; ++j) watch.on_large(++counter);
    EXPECT_FALSE(watch.on_sample({.bytes = 24 * 1300, .packets = 24, .lost = 16}, before, counter));
  }
}

}  // namespace
}  // namespace qdt::plane
