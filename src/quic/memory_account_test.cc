#include "quic/memory_account.h"

#include <gtest/gtest.h>

#include <cstring>

namespace qdt::quic {
namespace {

TEST(MemoryAccount, CountsWhatIsHeld) {
  std::size_t shared = 0;
  MemoryAccount account(&shared);
  void* block = account.allocate(100);
  EXPECT_GE(account.bytes(), 100u);
  EXPECT_EQ(shared, account.bytes());
  account.release(block);
  EXPECT_EQ(account.bytes(), 0u);
  EXPECT_EQ(shared, 0u);
}

TEST(MemoryAccount, GivesNothingBeyondItsLimit) {
  MemoryAccount account(nullptr, 1000);
  void* block = account.allocate(900);
  EXPECT_NE(block, nullptr);
  EXPECT_FALSE(account.was_exceeded());
  EXPECT_EQ(account.allocate(100), nullptr);
  EXPECT_TRUE(account.was_exceeded());
  account.release(block);
}

TEST(MemoryAccount, RefusesLengthsThatOverflow) {
  MemoryAccount account;
  EXPECT_EQ(account.allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(account.allocate_zeroed(SIZE_MAX / 2, 3), nullptr);
  EXPECT_EQ(account.bytes(), 0u);
}

TEST(MemoryAccount, KeepsTheContentOfABlockThatGrows) {
  MemoryAccount account;
  void* block = account.allocate(4);
  std::memcpy(block, "abcd", 4);
  block = account.reallocate(block, 4000);
  EXPECT_EQ(std::memcmp(block, "abcd", 4), 0);
  account.release(account.reallocate(block, 2));
  EXPECT_EQ(account.bytes(), 0u);
}

TEST(MemoryAccount, ABlockThatCannotGrowStays) {
  MemoryAccount account(nullptr, 1000);
  void* block = account.allocate(400);
  EXPECT_EQ(account.reallocate(block, 900), nullptr);
  std::memset(block, 1, 400);
  account.release(block);
  EXPECT_EQ(account.bytes(), 0u);
}

TEST(MemoryAccount, LeavesTheSharedSumAndTheLimit) {
  std::size_t shared = 0;
  MemoryAccount account(&shared, 1000);
  void* early = account.allocate(500);
  account.leave();
  EXPECT_EQ(shared, 0u);
  void* late = account.allocate(5000);
  EXPECT_NE(late, nullptr);
  account.release(early);
  account.release(late);
  EXPECT_EQ(shared, 0u);
  EXPECT_EQ(account.bytes(), 0u);
}

}  // namespace
}  // namespace qdt::quic
