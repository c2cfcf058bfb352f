#include "os/linux/processor_quota.h"

#include <gtest/gtest.h>

#include <limits>

#include "os/processors.h"

namespace qdt::os {
namespace {

constexpr std::size_t kNoBound = std::numeric_limits<std::size_t>::max();

TEST(ProcessorQuota, IsRoundedUp) {
  EXPECT_EQ(processors_of_quota("200000 100000\n"), 2u);
  EXPECT_EQ(processors_of_quota("150000 100000\n"), 2u);
  EXPECT_EQ(processors_of_quota("1000 100000\n"), 1u);
}

TEST(ProcessorQuota, IsNoBoundWhereThereIsNone) {
  for (const char* text : {"max 100000\n", "", "\n", "5", "5 ", "5 0", "-1 100000", "five 2"}) {
    EXPECT_EQ(processors_of_quota(text), kNoBound) << '"' << text << '"';
  }
}

TEST(ProcessorQuota, FindsTheGroupBesideThoseOfVersion1) {
  EXPECT_EQ(group_of("12:cpu,cpuacct:/old\n1:name=systemd:/x\n0::/system.slice/qdt.service\n"),
            "/system.slice/qdt.service");
  EXPECT_EQ(group_of("0::/a"), "/a");
  EXPECT_EQ(group_of("0::/\n"), "");
  EXPECT_EQ(group_of("0::a\n"), "");
  EXPECT_EQ(group_of("3:cpu:/old\n"), "");
  EXPECT_EQ(group_of(""), "");
}

TEST(Processors, AreAtLeastOne) {
  EXPECT_GE(usable_processors(), 1u);
}

}  // namespace
}  // namespace qdt::os
