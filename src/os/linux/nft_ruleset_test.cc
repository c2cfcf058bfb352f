#include "os/linux/nft_ruleset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::os {
namespace {

using testing::HasSubstr;

TEST(NftRuleset, NamesATableForEveryDevice) {
  EXPECT_EQ(nat_table_name("qdt0"), "qdt_qdt0");
  EXPECT_EQ(guard_table_name("qdt0"), "qdt_qdt0/guard");
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

ClientPolicy policy() {
  return {.tun_name = "qdt0",
          .inner = {*IpAddress::parse("10.8.0.2"), *IpAddress::parse("fd00:8::2")},
          .takes_everything = true,
          .outside = {*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fe80::/64")},
          .inside = {*Prefix::parse("10.8.0.0/24")},
          .name_servers = {*IpAddress::parse("10.2.3.53")}};
}

TEST(NftRuleset, MarksWhatArrivesForTheTunnelsSockets) {
  const std::string rules = marks_ruleset({"t"}, policy());
  EXPECT_THAT(rules, HasSubstr("socket mark 5325908 meta mark set 5325908 accept\n"));
  EXPECT_THAT(rules, HasSubstr("ip daddr 10.0.0.0/8 goto for_lan\n"));
  EXPECT_THAT(rules, HasSubstr("jump opened\n"));
  EXPECT_EQ(rules.find('$'), std::string::npos);
}

TEST(NftRuleset, MarksNoConnectionsWhereNobodyIsAnswered) {
  ClientPolicy silent = policy();
  silent.answers = false;
  const std::string rules = marks_ruleset({"t"}, silent);
  EXPECT_EQ(rules.find("jump opened"), std::string::npos);
  EXPECT_EQ(rules.find("ct direction reply"), std::string::npos);
}

TEST(NftRuleset, DropsWhatArrivesForInnerAddressesElsewhere) {
  ClientPolicy narrow = policy();
  narrow.takes_everything = false;
  const std::string rules = guard_ruleset({"t", "flags owner;"}, narrow);
  EXPECT_THAT(rules, HasSubstr("table inet t {\n  flags owner;\n"));
  EXPECT_THAT(rules, HasSubstr(R"(iifname != { "lo", "qdt0" } ip daddr 10.8.0.2 drop)"));
  EXPECT_THAT(rules, HasSubstr(R"(iifname != { "lo", "qdt0" } ip6 daddr fd00:8::2 drop)"));
  EXPECT_EQ(rules.find("chain output"), std::string::npos);
}

TEST(NftRuleset, LetsOutWhatThePolicyLeavesOutside) {
  const std::string rules = guard_ruleset({"t"}, policy());
  EXPECT_THAT(rules, HasSubstr("ip daddr 10.8.0.0/24 reject\n    ip daddr 10.0.0.0/8 accept\n"));
  EXPECT_THAT(rules, HasSubstr("ip6 daddr fe80::/64 accept\n"));
  EXPECT_THAT(rules, HasSubstr("ip daddr { 224.0.0.0/24, "));
  EXPECT_THAT(rules, HasSubstr("meta mark 5325908 accept\n"));
  EXPECT_EQ(rules.find('$'), std::string::npos);
}

TEST(NftRuleset, LetsQuestionsOutToAllowedServersOnly) {
  const std::string rules = guard_ruleset({"t"}, policy());
  EXPECT_THAT(rules, HasSubstr("ip daddr 10.2.3.53 return\n"));
  EXPECT_THAT(rules, HasSubstr("th dport { 53, 853 } jump dns\n"));
}

TEST(ForwardRuleset, FollowsConnectionsOnlyBetweenSeveralDevices) {
  const ClosedHost one{.is_v6 = false, .from = {"wan"}, .to = {"wan"}};
  EXPECT_THAT(forward_ruleset("qdt0", {&one, 1}), Not(HasSubstr("ct state")));
  const ClosedHost two{.is_v6 = false, .from = {"lan", "wan"}, .to = {"lan", "wan"}};
  EXPECT_THAT(forward_ruleset("qdt0", {&two, 1}), HasSubstr("ct state"));
}

}  // namespace
}  // namespace qdt::os
