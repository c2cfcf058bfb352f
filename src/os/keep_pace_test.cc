#include "os/keep_pace.h"

#include <gtest/gtest.h>

namespace qdt::os {
namespace {

Timestamp at(Duration time) {
  return Timestamp(1h + time);
}

TEST(KeepPace, LooksAtOnceWhenSomethingChanges) {
  KeepPace pace;
  pace.on_kept(at(0s), at(0s), {});
  EXPECT_EQ(pace.due(), at(2s));
  pace.on_notice(at(1s));
  EXPECT_EQ(pace.due(), at(1s));
}

TEST(KeepPace, LooksSeldomWhereNoticesMeanNothing) {
  KeepPace pace;
  Timestamp now = at(0s);
  int looks = 0;
  for (; now < at(10s); ++looks) {
    pace.on_kept(now, now, {});
    pace.on_notice(now);
    now = pace.due();
  }
  EXPECT_LE(looks, 16);
}

TEST(KeepPace, IsNotSlowedByRepairsThatTakeTime) {
  KeepPace pace;
  Upkeep repaired;
  repaired.count(HostPart::kTable);
  pace.on_kept(at(0ms), at(100ms), repaired);
  pace.on_notice(at(110ms));
  EXPECT_EQ(pace.due(), at(150ms));
}

TEST(KeepPace, LooksWithinTwoSecondsAlsoWhereLooksTakeLong) {
  KeepPace pace;
  pace.on_kept(at(0s), at(200ms), {});
  pace.on_notice(at(300ms));
  EXPECT_EQ(pace.due(), at(1700ms));
}

TEST(KeepPace, KnowsAContest) {
  KeepPace pace;
  Upkeep repaired;
  repaired.count(HostPart::kRule);
  for (int i = 0; i < 9; ++i) pace.on_kept(at(i * 100ms), at(i * 100ms), repaired);
  EXPECT_FALSE(pace.is_contested());
  pace.on_kept(at(1s), at(1s), repaired);
  EXPECT_TRUE(pace.is_contested());
  pace.on_kept(at(7s), at(7s), {});
  EXPECT_FALSE(pace.is_contested());
}

}  // namespace
}  // namespace qdt::os
