#include "quic/farewells.h"

#include <gtest/gtest.h>

namespace qdt::quic {
namespace {

constexpr Timestamp kEnd = Timestamp(1h);

ConnectionId id(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes;
  store_be<std::uint64_t>(bytes.data(), number);
  return ConnectionId(bytes);
}

class FarewellsTest : public ::testing::Test {
 protected:
  void end(std::uint64_t number, Timestamp until = kEnd) {
    farewells.add({.ids = {id(number)}, .path = {}, .payload = {1, 2, 3}, .until = until});
  }
  Farewells farewells;
};

TEST_F(FarewellsTest, AreSaidAgainMoreAndMoreRarely) {
  end(7);
  int answers = 0;
  for (int i = 0; i < 1000; ++i) answers += farewells.hear(id(7).bytes()).answer != nullptr ? 1 : 0;
  EXPECT_EQ(answers, 10);
  EXPECT_EQ(farewells.hear(id(7).bytes()).is_late, true);
}

TEST_F(FarewellsTest, SayNothingWhereThePeerHasEnded) {
  farewells.add({.ids = {id(7)}, .path = {}, .payload = {}, .until = kEnd});
  EXPECT_TRUE(farewells.hear(id(7).bytes()).is_late);
  EXPECT_EQ(farewells.hear(id(7).bytes()).answer, nullptr);
}

TEST_F(FarewellsTest, KnowNobodyElse) {
  end(7);
  EXPECT_FALSE(farewells.hear(id(8).bytes()).is_late);
  EXPECT_FALSE(farewells.hear({}).is_late);
}

TEST_F(FarewellsTest, AreForgottenInTime) {
  end(1, kEnd);
  end(2, kEnd + 1s);
  EXPECT_EQ(farewells.next_timeout(), kEnd);
  farewells.forget(kEnd);
  EXPECT_FALSE(farewells.hear(id(1).bytes()).is_late);
  EXPECT_TRUE(farewells.hear(id(2).bytes()).is_late);
  farewells.forget(kEnd + 1s);
  EXPECT_EQ(farewells.count(), 0u);
  EXPECT_EQ(farewells.next_timeout(), kNever);
}

TEST_F(FarewellsTest, AreBoundedInNumber) {
  for (std::uint64_t i = 0; i < 10 * Farewells::kMaxFarewells; ++i) end(i);
  EXPECT_EQ(farewells.count(), Farewells::kMaxFarewells);
  EXPECT_FALSE(farewells.hear(id(0).bytes()).is_late);
  EXPECT_TRUE(farewells.hear(id(10 * Farewells::kMaxFarewells - 1).bytes()).is_late);
}

TEST_F(FarewellsTest, AreBoundedInIds) {
  Farewells::Farewell one{.ids = {}, .path = {}, .payload = {1}, .until = kEnd};
  for (std::uint64_t i = 0; i < 100; ++i) one.ids.push_back(id(i));
  farewells.add(one);
  EXPECT_FALSE(farewells.hear(id(83).bytes()).is_late);
  EXPECT_TRUE(farewells.hear(id(84).bytes()).is_late);
  EXPECT_TRUE(farewells.hear(id(99).bytes()).is_late);
}

}  // namespace
}  // namespace qdt::quic
