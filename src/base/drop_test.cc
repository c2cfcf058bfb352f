#include "base/drop.h"

#include <gtest/gtest.h>

#include <set>

namespace qdt {
namespace {

TEST(Drop, EveryReasonHasALabelOfItsOwn) {
  std::set<std::string_view> labels;
  for (std::size_t i = 0; i < kDropCount; ++i) labels.insert(drop_label(static_cast<Drop>(i)));
  EXPECT_EQ(labels.size(), kDropCount);
  EXPECT_FALSE(labels.contains("unknown"));
}

TEST(DropCounters, CountsEachReasonByItself) {
  DropCounters drops;
  drops.count(Drop::kForged);
  drops.count(Drop::kForged, 2);
  drops.count(Drop::kReplayed);
  EXPECT_EQ(drops.value(Drop::kForged), 3u);
  EXPECT_EQ(drops.value(Drop::kShort), 0u);
  EXPECT_EQ(drops.total(), 4u);
}

}  // namespace
}  // namespace qdt
