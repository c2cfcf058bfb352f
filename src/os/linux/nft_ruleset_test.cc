#include "os/linux/nft_ruleset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace qdt::os {
namespace {

using testing::HasSubstr;

TEST(NftRuleset, NamesATableForEveryDevice) {
  EXPECT_EQ(nat_table_name("qdt0"), "qdt_qdt0");
  EXPECT_EQ(outer_table_name("qdt0"), "qdt_qdt0/outer");
}

TEST(NftRuleset, TranslatesThePool) {
  const std::string rules =
      nat_ruleset("qdt0", {.pool = *Prefix::parse("10.8.0.0/24"), .external_interface = "eth0"});
  EXPECT_THAT(rules, HasSubstr(R"(ip saddr 10.8.0.0/24 oifname "eth0" masquerade)"));
  EXPECT_THAT(rules, HasSubstr("iifname \"qdt0\" accept\n"));
  EXPECT_EQ(rules.find('$'), std::string::npos);
}

TEST(NftRuleset, TranslatesIpv6WhereItIsToldTo) {
  NatOptions options{.pool = *Prefix::parse("10.8.0.0/24"), .external_interface = "eth0"};
  EXPECT_EQ(nat_ruleset("qdt0", options).find("ip6 saddr"), std::string::npos);
  options.pool6 = Prefix::parse("fd00:8::/64").value();
  const std::string rules = nat_ruleset("qdt0", options);
  EXPECT_THAT(rules, HasSubstr(R"(ip saddr 10.8.0.0/24 oifname "eth0" masquerade)"));
  EXPECT_THAT(rules, HasSubstr(R"(ip6 saddr fd00:8::/64 oifname "eth0" masquerade)"));
}

TEST(NftRuleset, MarksWhatArrivesForTheTunnelsSockets) {
  const std::vector inner = {*IpAddress::parse("10.8.0.2"), *IpAddress::parse("fd00:8::2")};
  const std::string rules = outer_ruleset("qdt0", 77, inner);
  EXPECT_THAT(rules, HasSubstr("socket mark 77 meta mark set 77\n"));
  EXPECT_THAT(rules,
              HasSubstr(R"(iifname != "qdt0" ip daddr 10.8.0.2 fib saddr type != local drop)"));
  EXPECT_THAT(rules,
              HasSubstr(R"(iifname != "qdt0" ip6 daddr fd00:8::2 fib saddr type != local drop)"));
  EXPECT_EQ(rules.find('$'), std::string::npos);
}

TEST(NftRuleset, LetsQuestionsOutToAllowedServersOnly) {
  const std::string rules = dns_ruleset("qdt0", 77, std::vector{*IpAddress::parse("192.0.2.53")});
  EXPECT_THAT(rules, HasSubstr("ip daddr 192.0.2.53 accept\n"));
  EXPECT_THAT(rules, HasSubstr("meta mark 77 accept\n"));
  EXPECT_THAT(rules, HasSubstr("th dport { 53, 853 } jump refuse\n"));
  EXPECT_EQ(rules.find('$'), std::string::npos);
}

}  // namespace
}  // namespace qdt::os
