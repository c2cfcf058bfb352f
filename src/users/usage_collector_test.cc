#include "users/usage_collector.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>

namespace qdt::users {
namespace {

constexpr std::int64_t kNow = 1796026934;  // 2026-11-30T08:22:14Z
constexpr std::int64_t kNovember = 1793491200;
constexpr std::int64_t kDecember = 1796083200;

class UsageCollectorTest : public ::testing::Test {
 protected:
  static access::UserTable::Entry entry(const std::string& name, std::uint64_t id) {
    return {.name = name,
            .token = {},
            .devices = {{.token = "t" + name, .id = 10 * id}},
            .limits = {},
            .id = id};
  }
  void follow(const std::vector<access::UserTable::Entry>& entries) {
    users_ = *access::UserTable::create(entries, {}, users_.get());
    collector_.follow(users_);
  }
  std::shared_ptr<access::Meter> meter(std::size_t user) {
    return users_->users()[user]->meters[0];
  }
  std::uint64_t kept_up(std::uint64_t device) {
    std::uint64_t sum = 0;
    for (const auto& [key, up] : kept_) sum += key.first == device ? up : 0;
    return sum;
  }

  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> kept_;
  Result<void> answer_;
  std::vector<QuotaUse> uses_;
  int asked_ = 0;
  access::UserTable::Snapshot users_;
  UsageCollector collector_{Ledger("n", 1),
                            {.count = [this](const Counts& counts) -> Result<void> {
                               if (!answer_) return answer_;
                               for (const Usage& one : counts.usage) {
                                 kept_[{one.device, one.epoch}] = one.up;
                               }
                               return {};
                             },
                             .quota_uses = [this]() -> Result<std::vector<QuotaUse>> {
                               ++asked_;
                               return uses_;
                             }}};
};

TEST_F(UsageCollectorTest, TellsTheStoreWhatMetersHave) {
  follow({entry("ann", 1), entry("bob", 2)});
  meter(0)->add(3, 0);
  meter(1)->add(5, 0);
  EXPECT_FALSE(collector_.collect(kNow));
  EXPECT_TRUE(collector_.tell());
  EXPECT_EQ(kept_up(10), 3u);
  EXPECT_EQ(kept_up(20), 5u);
  EXPECT_EQ(asked_, 0);
}

TEST_F(UsageCollectorTest, TellsAgainWhatTheStoreDidNotTake) {
  follow({entry("ann", 1)});
  answer_ = fail("the disk is full");
  meter(0)->add(3, 0);
  collector_.collect(kNow);
  EXPECT_FALSE(collector_.tell());
  answer_ = fail("there are no users", ErrorCode::kNotFound);
  EXPECT_TRUE(collector_.tell());
  answer_ = {};
  EXPECT_TRUE(collector_.tell());
  EXPECT_EQ(kept_up(10), 3u);
}

// A device that is gone, while its session ends.
TEST_F(UsageCollectorTest, ReadsTheMetersOfEarlierTablesToTheirEnd) {
  follow({entry("ann", 1)});
  auto of_session = meter(0);
  follow({entry("bob", 2)});
  collector_.collect(kNow);
  const std::weak_ptr<access::Meter> seen = of_session;
  of_session->add(7, 0);
  of_session.reset();
  users_.reset();
  for (int look = 0; look < 2; ++look) collector_.collect(kNow);
  collector_.tell();
  EXPECT_EQ(kept_up(10), 7u);
  EXPECT_TRUE(seen.expired());
}

TEST_F(UsageCollectorTest, CountsOnWhenAUserWasAwayForATime) {
  follow({entry("ann", 1)});
  meter(0)->add(7, 0);
  follow({entry("bob", 2)});
  collector_.collect(kNow);
  collector_.tell();
  follow({entry("ann", 1)});
  meter(0)->add(1, 0);
  collector_.collect(kNow);
  collector_.tell();
  EXPECT_EQ(kept_up(10), 8u);
}

TEST_F(UsageCollectorTest, SaysWhenAQuotaIsUsedUp) {
  follow({entry("ann", 1)});
  const Contents contents{
      .users = {{.id = 1, .name = "ann", .limits = {.quota = Quota{.bytes = 100, .then = {}}}}}};
  uses_ = {{.user = 1, .begin = kNovember, .bytes = 90}};
  EXPECT_TRUE(collector_.use_quotas(contents, kNow).empty());
  EXPECT_TRUE(collector_.has_to_ask());
  EXPECT_TRUE(collector_.tell());
  EXPECT_FALSE(collector_.has_to_ask());
  meter(0)->add(4, 5);
  EXPECT_FALSE(collector_.collect(kNow));
  meter(0)->add(0, 1);
  EXPECT_TRUE(collector_.collect(kNow));
  EXPECT_FALSE(collector_.collect(kNow));
  EXPECT_EQ(collector_.use_quotas(contents, kNow).at(1), kDecember);
  EXPECT_TRUE(collector_.collect(kDecember)) << "it begins anew";
  EXPECT_EQ(asked_, 1);
}

TEST_F(UsageCollectorTest, LosesAndDoublesNothingBetweenThreads) {
  follow({entry("ann", 1)});
  constexpr std::uint64_t kSessions = 4;
  constexpr std::uint64_t kTimes = 20'000;
  {
    std::vector<std::jthread> sessions;
    for (std::uint64_t i = 0; i < kSessions; ++i) {
      sessions.emplace_back([its = meter(0)] {
        for (std::uint64_t n = 0; n < kTimes; ++n) its->add(1, 1);
      });
    }
    for (int n = 0; n < 200; ++n) {
      collector_.collect(kNow);
      collector_.tell();
    }
  }
  collector_.collect(kNow);
  collector_.tell();
  EXPECT_EQ(kept_up(10), kSessions * kTimes);
}

}  // namespace
}  // namespace qdt::users
