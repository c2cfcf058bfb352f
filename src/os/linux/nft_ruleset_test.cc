#include "os/linux/nft_ruleset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::os {
namespace {

using testing::HasSubstr;

TEST(NftRuleset, NamesATableForEveryDevice) {
  EXPECT_EQ(nat_table_name("qdt0"), "qdt_qdt0");
  EXPECT_EQ(outer_table_name("qdt0"), "qdt_qdt0/outer");
}

TEST(NftRuleset, ClampsToTheTunnelMtu) {
  const std::string rules = nat_ruleset(
      "qdt0",
      {.pool = *Prefix::parse("10.8.0.0/24"), .external_interface = "eth0", .tunnel_mtu = 1350});
  EXPECT_THAT(rules, HasSubstr(R"(ip saddr 10.8.0.0/24 oifname "eth0" masquerade)"));
  EXPECT_THAT(rules, HasSubstr("iifname \"qdt0\" meta nfproto ipv4 tcp flags & (syn | rst) == syn "
                               "tcp option maxseg size set 1310\n"));
  EXPECT_THAT(rules, HasSubstr("oifname \"qdt0\" meta nfproto ipv6 tcp flags & (syn | rst) == syn "
                               "tcp option maxseg size set 1290\n"));
  EXPECT_EQ(rules.find('$'), std::string::npos);
}

TEST(NftRuleset, MarksWhatArrivesForTheTunnelsSockets) {
  const std::string rules = outer_ruleset("qdt0", 77, *IpAddress::parse("10.8.0.2"));
  EXPECT_THAT(rules, HasSubstr("socket mark 77 meta mark set 77\n"));
  EXPECT_THAT(rules,
              HasSubstr(R"(iifname != "qdt0" ip daddr 10.8.0.2 fib saddr type != local drop)"));
  EXPECT_EQ(rules.find('$'), std::string::npos);
}

}  // namespace
}  // namespace qdt::os
