#include "users/text.h"

#include <gtest/gtest.h>

#include <utility>

namespace qdt::users {
namespace {

constexpr std::int64_t kNow = 1796026934;  // 2026-11-30T08:22:14Z

std::string error_of(const auto& result) {
  return result ? "" : result.error().message;
}

TEST(UsersText, ReadsRates) {
  EXPECT_EQ(parse_rate("up", "20mbit"), 20'000'000u);
  EXPECT_EQ(parse_rate("up", "1.5Gbit"), 1'500'000'000u);
  EXPECT_EQ(parse_rate("up", "64kbit"), 64'000u);
  EXPECT_EQ(parse_rate("up", "1000bit"), 1'000u);
  EXPECT_EQ(rate_text(20'000'000), "20mbit");
  EXPECT_EQ(rate_text(1'500'000'000), "1500mbit");
  EXPECT_EQ(rate_text(1'001), "1001bit");
}

TEST(UsersText, ReadsSizes) {
  EXPECT_EQ(parse_size("quota", "500MB"), 500'000'000u);
  EXPECT_EQ(parse_size("quota", "1.5tb"), 1'500'000'000'000u);
  EXPECT_EQ(parse_size("quota", "20GiB"), 21'474'836'480u);
  EXPECT_EQ(parse_size("quota", "1b"), 1u);
}

TEST(UsersText, ReadsTimes) {
  EXPECT_EQ(parse_time("expires", "2026-12-31", kNow), 1798675200);
  EXPECT_EQ(parse_time("expires", "2026-12-31T18:30", kNow), 1798741800);
  EXPECT_EQ(parse_time("expires", "2028-02-29T00:00:01Z", kNow), 1835395201);
  EXPECT_EQ(parse_time("expires", "24h", kNow), kNow + 86400);
  EXPECT_EQ(parse_time("expires", "30d", kNow), kNow + 30 * 86400);
  EXPECT_EQ(time_text(1798741800), "2026-12-31T18:30:00Z");
  EXPECT_EQ(time_text(kNow), "2026-11-30T08:22:14Z");
}

TEST(UsersText, KnowsTheMonthOfATime) {
  EXPECT_EQ(period_of(kNow), 202611);
  EXPECT_EQ(period_of(kNow, 28), 202611);
  EXPECT_EQ(period_of(1796169600, 1), 202612);  // 2026-12-02
  EXPECT_EQ(period_of(1796169600, 3), 202611);
}

TEST(UsersText, TakesNamesThatFitAPathAndAShell) {
  for (const char* name : {"a", "ann.lee", "ann@example.org", "7_of-9", "default"}) {
    EXPECT_TRUE(check_name("name", name)) << name;
  }
  EXPECT_TRUE(check_name("name", std::string(64, 'x')));
}

// Each is refused, and the error names the value, the text and a remedy.
TEST(UsersText, RefusesWhatIsNoName) {
  for (const std::string& name :
       {std::string(), std::string(65, 'x'), std::string("a b"), std::string("-a"),
        std::string("a/b"), std::string("../x"), std::string("j\xc3\xb6rg"), std::string("a\0b", 3),
        std::string("a\nb"), std::string("$(x)"), std::string("a%b")}) {
    const std::string error = error_of(check_name("user", name));
    EXPECT_TRUE(error.starts_with("user: \"")) << name << error;
    EXPECT_NE(error.find("; write "), error.npos) << error;
  }
}

TEST(UsersText, RefusesWhatIsNoRate) {
  for (const char* text :
       {"", "20", "mbit", "-1mbit", "+1mbit", " 20mbit", "20 mbit", "20mb", "20mbit/s", "0mbit",
        "1bit", "1001gbit", "1e3mbit", "nanmbit", "infmbit", "0x10mbit", "20mbit\n"}) {
    const std::string error = error_of(parse_rate("up", text));
    EXPECT_TRUE(error.starts_with("up: \"")) << text << error;
    EXPECT_NE(error.find("; write "), error.npos) << error;
  }
}

TEST(UsersText, RefusesWhatIsNoSize) {
  for (const char* text : {"", "500", "gb", "0gb", "-5gb", "1001tb", "5 gb", "5gbit", "1.2.3gb"}) {
    const std::string error = error_of(parse_size("quota", text));
    EXPECT_TRUE(error.starts_with("quota: \"")) << text << error;
    EXPECT_NE(error.find("; write "), error.npos) << error;
  }
}

TEST(UsersText, RefusesWhatIsNoTimeToCome) {
  for (const char* text :
       {"", "tomorrow", "2026-13-01", "2026-02-29", "2026-12-32", "2026-1-1", "31.12.2026",
        "2026-12-31T24:00", "2026-12-31T18:60", "2026-12-31T18", "2026-12-31T18:00+02:00",
        "2026-12-31 18:00", "2025-01-01", "2200-01-01", "0d", "-1d", "10", "99999999d", "5y"}) {
    const std::string error = error_of(parse_time("expires", text, kNow));
    EXPECT_TRUE(error.starts_with("expires: \"")) << text << error;
    EXPECT_NE(error.find("; write "), error.npos) << error;
  }
}

TEST(UsersText, SaysWhatIsWrong) {
  EXPECT_EQ(
      error_of(parse_time("expires", "2025-01-01", kNow)),
      "expires: \"2025-01-01\": it is past (it is 2026-11-30T08:22:14Z now); write a date such "
      "as 2026-12-31, a time such as 2026-12-31T18:00 (UTC), or a time from now such as 24h or "
      "30d");
  EXPECT_EQ(error_of(parse_count("max_devices", "0", 1, 256)),
            "max_devices: \"0\": it is too little; write a whole number from 1 to 256");
}

TEST(UsersText, RefusesWhatIsNoCount) {
  EXPECT_EQ(parse_count("n", "256", 1, 256), 256u);
  for (const char* text : {"", "257", "-1", "1.5", "x", "99999999999999999999", " 1", "1 "}) {
    EXPECT_FALSE(parse_count("n", text, 1, 256)) << text;
  }
}

TEST(UsersText, ReadsMonths) {
  EXPECT_EQ(parse_month("month", "2026-11"), 202611);
  EXPECT_EQ(month_text(202611), "2026-11");
  for (const char* text : {"", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-01",
                           "2026/11", "-026-11", "2026-1x", "1969-12"}) {
    const std::string error = error_of(parse_month("month", text));
    EXPECT_TRUE(error.starts_with("month: \"")) << text << error;
  }
}

TEST(UsersText, KnowsDaysAndWherePeriodsBegin) {
  EXPECT_EQ(day_of(kNow), 20261130);
  EXPECT_EQ(day_of(1772323199), 20260228);
  EXPECT_EQ(day_of(1772323200), 20260301);
  EXPECT_EQ(day_of(1835395200), 20280229);
  EXPECT_EQ(time_text(begin_of_period(202612)), "2026-12-01T00:00:00Z");
  EXPECT_EQ(time_text(begin_of_period(202602, 28)), "2026-02-28T00:00:00Z");
  EXPECT_EQ(next_period(202612), 202701);
  EXPECT_EQ(next_period(202602), 202603);
}

}  // namespace
}  // namespace qdt::users
