#include "users/quota.h"

#include <gtest/gtest.h>

#include <string>

#include "users/text.h"

namespace qdt::users {
namespace {

constexpr std::int64_t kDay = 86400;

std::int64_t at(const char* date) {
  return *parse_time("date", date, 0);
}

User with_quota(std::uint64_t id, std::uint64_t bytes, int reset_day = 1) {
  return {.id = id,
          .name = "u" + std::to_string(id),
          .limits = {.quota = Quota{.bytes = bytes, .reset_day = reset_day, .then = {}}}};
}

std::string month(int reset_day, const char* now) {
  const QuotaMonth found = quota_month(reset_day, at(now));
  return time_text(found.begin).substr(0, 10) + " " + time_text(found.end).substr(0, 10);
}

TEST(QuotaMonth, GoesFromResetDayToResetDay) {
  EXPECT_EQ(month(1, "2026-11-01"), "2026-11-01 2026-12-01");
  EXPECT_EQ(month(1, "2026-12-31T23:59:59"), "2026-12-01 2027-01-01");
  EXPECT_EQ(month(15, "2026-11-14T23:59:59"), "2026-10-15 2026-11-15");
  EXPECT_EQ(month(15, "2026-11-15"), "2026-11-15 2026-12-15");
  EXPECT_EQ(month(15, "2027-01-01"), "2026-12-15 2027-01-15");
}

TEST(QuotaMonth, KnowsShortMonthsAndLeapYears) {
  EXPECT_EQ(month(28, "2026-02-27T23:59:59"), "2026-01-28 2026-02-28");
  EXPECT_EQ(month(28, "2026-02-28"), "2026-02-28 2026-03-28");
  EXPECT_EQ(month(28, "2026-03-01"), "2026-02-28 2026-03-28");
  EXPECT_EQ(month(28, "2028-02-29"), "2028-02-28 2028-03-28");
  EXPECT_EQ(month(28, "2028-03-27T23:59:59"), "2028-02-28 2028-03-28");
  EXPECT_EQ(month(1, "2028-02-29T23:59:59"), "2028-02-01 2028-03-01");
}

// Every day of a leap cycle is in one month of each reset day, and no month has a gap to the next.
TEST(QuotaMonth, LeavesNoTimeOut) {
  for (int reset_day = 1; reset_day <= 28; ++reset_day) {
    std::int64_t end = 0;
    for (std::int64_t now = at("2026-01-01"); now < at("2030-01-01"); now += kDay) {
      const QuotaMonth found = quota_month(reset_day, now);
      ASSERT_TRUE(found.has(now)) << reset_day << " " << time_text(now);
      ASSERT_EQ(found, quota_month(reset_day, found.end - 1));
      ASSERT_TRUE(end == 0 || found.end == end || found.begin == end) << time_text(now);
      end = found.end;
    }
  }
}

TEST(QuotaUses, SumTheDaysOfEachUsersMonth) {
  User in_group{.id = 3, .name = "u3", .group = "staff"};
  const Contents contents{
      .users = {with_quota(1, 9), with_quota(2, 9, 15), in_group, {.id = 4, .name = "free"}},
      .groups = {{.name = "staff", .limits = {.quota = Quota{.bytes = 9, .reset_day = 28}}}}};
  std::vector<DayUsage> days;
  for (const std::uint64_t user : {1, 2, 3, 4, 5}) {
    days.push_back({.user = user, .day = 20261027, .bytes = 1});
    days.push_back({.user = user, .day = 20261028, .bytes = 10});
    days.push_back({.user = user, .day = 20261101, .bytes = 100});
    days.push_back({.user = user, .day = 20261115, .bytes = 1000});
    days.push_back({.user = user, .day = 20270101, .bytes = 10000});  // of a clock that was ahead
  }
  const auto uses = quota_uses(contents, days, at("2026-11-20"));
  EXPECT_EQ(uses, (std::vector<QuotaUse>{{1, at("2026-11-01"), 11100},
                                         {2, at("2026-11-15"), 11000},
                                         {3, at("2026-10-28"), 11110}}));
}

TEST(QuotaUses, NeedNoDaysBeforeTheFirst) {
  EXPECT_EQ(first_day_of_quotas(at("2026-12-31")), 20261030);
}

class QuotaBookTest : public ::testing::Test {
 protected:
  void use(std::vector<User> users) { book_.use({.users = std::move(users)}, now_); }
  bool is_over(std::uint64_t user) {
    book_.look(now_);
    return book_.used_up().contains(user);
  }

  QuotaBook book_;
  std::int64_t now_ = at("2026-11-20");
};

TEST_F(QuotaBookTest, IsUsedUpByTheLastByte) {
  use({with_quota(1, 100)});
  book_.correct({{1, at("2026-11-01"), 60}});
  book_.add(1, 39);
  EXPECT_FALSE(is_over(1));
  book_.add(1, 1);
  EXPECT_TRUE(book_.look(now_));
  EXPECT_EQ(book_.used_up().at(1), at("2026-12-01"));
  EXPECT_FALSE(book_.look(now_)) << "nothing is new";
}

TEST_F(QuotaBookTest, AsksTheStoreAboutUsersWhoAreNew) {
  EXPECT_FALSE(book_.has_to_ask());
  use({with_quota(1, 100), {.id = 2, .name = "free"}});
  EXPECT_TRUE(book_.has_to_ask());
  book_.correct({{1, at("2026-11-01"), 100}});
  EXPECT_FALSE(book_.has_to_ask());
  EXPECT_TRUE(is_over(1));
  use({with_quota(1, 100), with_quota(2, 100)});
  EXPECT_TRUE(book_.has_to_ask());
  EXPECT_TRUE(is_over(1)) << "what is known stays";
}

TEST_F(QuotaBookTest, LetsInAgainOnceTheQuotaIsRaisedOrGone) {
  use({with_quota(1, 100), with_quota(2, 100)});
  book_.correct({{1, at("2026-11-01"), 100}, {2, at("2026-11-01"), 100}});
  EXPECT_TRUE(is_over(1) && is_over(2));
  use({with_quota(1, 101), {.id = 2, .name = "u2"}});
  EXPECT_TRUE(book_.look(now_));
  EXPECT_FALSE(is_over(1) || is_over(2));
  book_.add(1, 1);
  EXPECT_TRUE(is_over(1));
}

TEST_F(QuotaBookTest, BeginsAnewAtTheResetDayWithoutTheStore) {
  use({with_quota(1, 100, 28)});
  book_.correct({{1, at("2026-10-28"), 100}});
  now_ = at("2026-11-27T23:59:59");
  EXPECT_TRUE(is_over(1));
  now_ = at("2026-11-28");
  EXPECT_FALSE(is_over(1));
  EXPECT_TRUE(book_.has_to_ask());
  book_.correct({{1, at("2026-11-28"), 3}});
  book_.add(1, 97);
  EXPECT_TRUE(is_over(1));
}

TEST_F(QuotaBookTest, LetsNobodyInAgainByAClockThatIsSetBack) {
  use({with_quota(1, 100)});
  book_.correct({{1, at("2026-11-01"), 100}});
  for (const char* back : {"2026-11-02", "2026-10-31", "2020-01-01"}) {
    now_ = at(back);
    EXPECT_TRUE(is_over(1)) << back;
  }
}

TEST_F(QuotaBookTest, TakesNoAnswerAboutAnotherMonth) {
  use({with_quota(1, 100)});
  now_ = at("2026-12-01");
  book_.look(now_);
  book_.correct({{1, at("2026-11-01"), 100}});
  EXPECT_FALSE(is_over(1));
  EXPECT_TRUE(book_.has_to_ask());
}

TEST_F(QuotaBookTest, AsksAgainAboutAnotherResetDay) {
  use({with_quota(1, 100)});
  book_.correct({{1, at("2026-11-01"), 100}});
  use({with_quota(1, 100, 15)});
  EXPECT_TRUE(book_.has_to_ask());
  EXPECT_TRUE(is_over(1)) << "until the store has said how much was since then";
  book_.correct({{1, at("2026-11-15"), 20}});
  EXPECT_FALSE(is_over(1));
}

}  // namespace
}  // namespace qdt::users
