#include "quic/pooled_random.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "support/seeded_random.h"

namespace qdt::quic {
namespace {

class CountedRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    ++draws;
    random_.fill(out);
  }
  int draws = 0;

 private:
  testing::SeededRandom random_{1};
};

TEST(PooledRandom, DrawsRarelyAndGivesNothingTwice) {
  CountedRandom source;
  PooledRandom pooled(source);
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 1280; ++i) numbers.insert(pooled.number());
  EXPECT_EQ(numbers.size(), 1280u);
  EXPECT_EQ(source.draws, 10);
}

TEST(PooledRandom, FillsMoreThanItsPool) {
  CountedRandom source;
  PooledRandom pooled(source);
  pooled.number();
  std::vector<std::uint8_t> bytes(3000);
  pooled.fill(bytes);
  testing::SeededRandom same(1);
  std::vector<std::uint8_t> expected(3 * 1024);
  for (std::size_t at = 0; at < expected.size(); at += 1024) {
    same.fill(MutableBytes(expected).subspan(at, 1024));
  }
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin() + 8));
}

}  // namespace
}  // namespace qdt::quic
