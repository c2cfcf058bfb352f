#include "access/account.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace qdt::access {
namespace {

TEST(Account, BoundsTheSessionsOfItsUser) {
  Account account;
  EXPECT_TRUE(account.reserve_session(2, false));
  EXPECT_TRUE(account.reserve_session(2, false));
  EXPECT_FALSE(account.reserve_session(2, false));
  EXPECT_EQ(account.sessions(), 2u);
  account.release_session();
  EXPECT_TRUE(account.reserve_session(2, false));
}

TEST(Account, RefusesNoneThatReplacesAnother) {
  Account account;
  EXPECT_TRUE(account.reserve_session(1, false));
  EXPECT_TRUE(account.reserve_session(1, true));
  account.release_session();
  EXPECT_FALSE(account.reserve_session(1, false));
}

TEST(Account, HasNoBoundByDefault) {
  Account account;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(account.reserve_session(0, false));
}

TEST(Account, AddsUpWhatItsSessionsTell) {
  Account account;
  account.add({.up = {.packets = 1, .bytes = 100, .drops = 2}});
  account.add({.up = {.packets = 2, .bytes = 50}, .down = {.packets = 3, .bytes = 7, .drops = 1}});
  EXPECT_EQ(account.traffic(), (Traffic{.up = {.packets = 3, .bytes = 150, .drops = 2},
                                        .down = {.packets = 3, .bytes = 7, .drops = 1}}));
}

TEST(Account, LosesNothingThatShardsTellAtATime) {
  Account account;
  std::vector<std::thread> shards;
  for (int i = 0; i < 4; ++i) {
    shards.emplace_back([&account] {
      for (int j = 0; j < 1000; ++j) account.add({.down = {.packets = 1, .bytes = 10}});
    });
  }
  for (std::thread& shard : shards) shard.join();
  EXPECT_EQ(account.traffic().down, (Traffic::Way{.packets = 4000, .bytes = 40000}));
}

}  // namespace
}  // namespace qdt::access
