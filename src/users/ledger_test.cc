#include "users/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "users/text.h"

namespace qdt::users {
namespace {

using Reading = access::Meter::Reading;

std::int64_t at(const char* date) {
  return *parse_time("date", date, 0);
}

// As a store keeps them: of each row the larger number.
class Kept {
 public:
  void count(const Counts& counts) {
    for (const Usage& one : counts.usage) {
      auto& row = usage_[{one.device, one.period, one.epoch}];
      row = {std::max(row.first, one.up), std::max(row.second, one.down)};
    }
    for (const DayUsage& one : counts.days) {
      auto& row = days_[{one.user, one.day, one.epoch}];
      row = std::max(row, one.bytes);
    }
  }
  std::uint64_t up(std::uint64_t device, int period) const {
    std::uint64_t sum = 0;
    for (const auto& [key, row] : usage_) {
      if (std::get<0>(key) == device && std::get<1>(key) == period) sum += row.first;
    }
    return sum;
  }
  std::uint64_t bytes(std::uint64_t user, int day) const {
    std::uint64_t sum = 0;
    for (const auto& [key, row] : days_) {
      if (std::get<0>(key) == user && std::get<1>(key) == day) sum += row;
    }
    return sum;
  }

 private:
  std::map<std::tuple<std::uint64_t, int, std::uint64_t>, std::pair<std::uint64_t, std::uint64_t>>
      usage_;
  std::map<std::tuple<std::uint64_t, int, std::uint64_t>, std::uint64_t> days_;
};

class LedgerTest : public ::testing::Test {
 protected:
  // `tells`: the answer comes; else the store has it, and nobody knows.
  void tell(bool tells = true) {
    const Counts counts = ledger_.untold(1000);
    kept_.count(counts);
    if (tells) ledger_.told(counts);
  }

  Ledger ledger_{"node", 100};
  Kept kept_;
  std::int64_t now_ = at("2026-11-30T23:59:58");
};

TEST_F(LedgerTest, TellsAbsoluteNumbersOfADeviceAndItsUser) {
  ledger_.add(1, 11, {.up_bytes = 3, .down_bytes = 4}, now_);
  ledger_.add(1, 12, {.up_bytes = 5}, now_);
  const Counts counts = ledger_.untold(10);
  ASSERT_EQ(counts.usage.size(), 2u);
  EXPECT_EQ(counts.usage[0], (Usage{.user = 1,
                                    .device = 11,
                                    .period = 202611,
                                    .node = "node",
                                    .epoch = 100,
                                    .up = 3,
                                    .down = 4}));
  ASSERT_EQ(counts.days.size(), 1u);
  EXPECT_EQ(counts.days[0].day, 20261130);
  EXPECT_EQ(counts.days[0].bytes, 12u);
  ledger_.told(counts);
  EXPECT_TRUE(ledger_.untold(10).is_empty());
  ledger_.add(1, 11, {.up_bytes = 1}, now_);
  EXPECT_EQ(ledger_.untold(10).usage.at(0).up, 4u);
}

TEST_F(LedgerTest, TellsAgainWhatCameWhileItWasTold) {
  ledger_.add(1, 11, {.up_bytes = 3}, now_);
  const Counts counts = ledger_.untold(10);
  ledger_.add(1, 11, {.down_bytes = 2}, now_);
  ledger_.told(counts);
  EXPECT_EQ(ledger_.untold(10).usage.at(0).down, 2u);
  EXPECT_EQ(ledger_.untold(10).days.at(0).bytes, 5u);
}

TEST_F(LedgerTest, CountsInTheMonthAndDayOfTheClock) {
  ledger_.add(1, 11, {.up_bytes = 3}, now_);
  ledger_.add(1, 11, {.up_bytes = 4}, now_ + 2);
  tell();
  EXPECT_EQ(kept_.up(11, 202611), 3u);
  EXPECT_EQ(kept_.up(11, 202612), 4u);
  EXPECT_EQ(kept_.bytes(1, 20261130), 3u);
  EXPECT_EQ(kept_.bytes(1, 20261201), 4u);
}

TEST_F(LedgerTest, NeitherLosesNorDoublesWhenTheClockIsSetBack) {
  const std::int64_t december = now_ + 2;
  for (const std::int64_t now : {now_, december, now_, december, now_}) {
    ledger_.add(1, 11, {.up_bytes = 10}, now);
    tell();
  }
  EXPECT_EQ(kept_.up(11, 202611), 30u);
  EXPECT_EQ(kept_.up(11, 202612), 20u);
  EXPECT_EQ(kept_.bytes(1, 20261130), 30u);
}

TEST_F(LedgerTest, TellsTheStoreAgainUntilItHasAnswered) {
  ledger_.add(1, 11, {.up_bytes = 3}, now_);
  tell(/*tells=*/false);
  tell(/*tells=*/false);
  ledger_.add(1, 11, {.up_bytes = 3}, now_ + 2);
  tell();
  EXPECT_EQ(kept_.up(11, 202611) + kept_.up(11, 202612), 6u);
  EXPECT_TRUE(ledger_.untold(10).is_empty());
}

TEST_F(LedgerTest, TellsNoMoreThanItIsAskedFor) {
  for (std::uint64_t device = 1; device <= 5; ++device) {
    ledger_.add(device, device, {.up_bytes = 1, .is_seen = true}, now_);
  }
  int rounds = 0;
  for (Counts counts = ledger_.untold(2); !counts.is_empty(); counts = ledger_.untold(2)) {
    EXPECT_LE(counts.usage.size(), 2u);
    ledger_.told(counts);
    ++rounds;
  }
  EXPECT_EQ(rounds, 3);
}

TEST_F(LedgerTest, SaysNowAndThenThatADeviceIsThere) {
  const auto told_at = [&](std::int64_t now) -> std::int64_t {
    ledger_.add(1, 11, {.is_seen = true}, now);
    const Counts counts = ledger_.untold(10);
    ledger_.told(counts);
    return counts.sightings.empty() ? 0 : counts.sightings[0].at;
  };
  EXPECT_EQ(told_at(now_), now_);
  EXPECT_EQ(told_at(now_ + 30), 0);
  EXPECT_EQ(told_at(now_ + 60), now_ + 60);
  EXPECT_EQ(told_at(now_ - 1000), now_ - 1000) << "the clock was set back";
}

TEST_F(LedgerTest, TellsWhenADeviceWasSeenLast) {
  ledger_.add(1, 11, {.is_seen = true}, now_);
  ledger_.told(ledger_.untold(10));
  ledger_.add(1, 11, {.is_seen = true}, now_ + 10);
  EXPECT_TRUE(ledger_.untold(10).sightings.empty());
  ledger_.add(2, 22, {.up_bytes = 1}, now_ + 70);  // time passes
  EXPECT_EQ(ledger_.untold(10).sightings, (std::vector<Sighting>{{.device = 11, .at = now_ + 10}}));
}

TEST_F(LedgerTest, ForgetsWhatIsOverAndTold) {
  for (int day = 0; day < 400; ++day) {
    for (std::uint64_t device = 1; device <= 10; ++device) {
      ledger_.add(device, device, {.up_bytes = 1, .is_seen = true}, now_ + day * 86400);
    }
    tell();
  }
  EXPECT_LE(ledger_.size(), 30u);
}

TEST_F(LedgerTest, IsBoundedWhileTheStoreTakesNothing) {
  constexpr std::uint64_t kUsers = Ledger::kMaxRows / 10;
  for (int day = 0; day < 40; ++day) {
    for (std::uint64_t user = 1; user <= kUsers; ++user) {
      ledger_.add(user, user, {.up_bytes = 1}, now_ + day * 86400);
    }
  }
  EXPECT_LE(ledger_.size(), 2 * Ledger::kMaxRows);
  std::uint64_t sum = 0;
  constexpr std::size_t kMost = 100'000;
  for (Counts counts = ledger_.untold(kMost); !counts.is_empty(); counts = ledger_.untold(kMost)) {
    for (const DayUsage& one : counts.days) sum += one.bytes;
    ledger_.told(counts);
  }
  EXPECT_EQ(sum, 40 * kUsers);
}

// Whatever the clock does, and whichever answers are lost, each byte is kept once.
TEST_F(LedgerTest, KeepsEachByteOnceOnARandomWalk) {
  std::mt19937_64 random(1);
  std::uint64_t added = 0;
  for (int step = 0; step < 20'000; ++step) {
    now_ += static_cast<std::int64_t>(random() % 7200) - (random() % 50 == 0 ? 86400 : 0);
    const std::uint64_t bytes = random() % 1000;
    ledger_.add(1, 11, {.up_bytes = bytes}, now_);
    added += bytes;
    if (random() % 3 == 0) tell(random() % 2 == 0);
  }
  tell();
  std::uint64_t months = 0;
  std::uint64_t days = 0;
  for (int period = 202501; period < 203001; period = next_period(period)) {
    months += kept_.up(11, period);
    for (int day = 1; day <= 31; ++day) days += kept_.bytes(1, period * 100 + day);
  }
  EXPECT_EQ(months, added);
  EXPECT_EQ(days, added);
}

}  // namespace
}  // namespace qdt::users
