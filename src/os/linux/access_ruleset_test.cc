#include "os/linux/access_ruleset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/linux/network_fixture.h"
#include "os/linux/nftables.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string ruleset(const ClientAccess& access) {
  return access_ruleset("t", "flags owner;", "qdt0", access);
}

TEST(AccessRuleset, IsOnlyThereWhereSomethingIsRefused) {
  const ClientAccess open{.answers_only = false, .answers_only6 = false, .host = HostAccess::kAll};
  EXPECT_FALSE(refuses_anything(open));
  EXPECT_TRUE(refuses_anything({}));
  for (auto change : {+[](ClientAccess& access) { access.answers_only = true; },
                      +[](ClientAccess& access) { access.answers_only6 = true; },
                      +[](ClientAccess& access) { access.reach_each_other = false; },
                      +[](ClientAccess& access) { access.host = HostAccess::kPing; },
                      +[](ClientAccess& access) { access.denied = {*Prefix::parse("::/0")}; }}) {
    ClientAccess access = open;
    change(access);
    EXPECT_TRUE(refuses_anything(access));
  }
}

TEST(AccessRuleset, LetsOnlyAnswersInPerFamily) {
  const std::string both = ruleset({});
  EXPECT_THAT(both,
              HasSubstr(R"(iifname != "qdt0" oifname "qdt0" meta nfproto ipv4 goto to_clients)"));
  EXPECT_THAT(both,
              HasSubstr(R"(iifname != "qdt0" oifname "qdt0" meta nfproto ipv6 goto to_clients)"));
  EXPECT_THAT(ruleset({.answers_only6 = false}), Not(HasSubstr("meta nfproto ipv6")));
}

// A connection that began before the rule has a direction, too.
TEST(AccessRuleset, TellsAnswersByTheirDirection) {
  EXPECT_THAT(ruleset({}), HasSubstr("ct direction reply ct state established,related accept"));
  EXPECT_THAT(ruleset({}), Not(HasSubstr("    ct state established,related accept")));
}

TEST(AccessRuleset, KeepsClientsApart) {
  EXPECT_THAT(ruleset({}), Not(HasSubstr(R"(iifname "qdt0" oifname "qdt0")")));
  EXPECT_THAT(ruleset({.reach_each_other = false}),
              HasSubstr(R"(iifname "qdt0" oifname "qdt0" goto refused)"));
}

TEST(AccessRuleset, OpensTheHostAsFarAsItSays) {
  const std::string ping = "icmp type echo-request accept";
  const std::string rest = "    goto refused\n  }\n  chain input";
  EXPECT_THAT(ruleset({.host = HostAccess::kNone}), Not(HasSubstr(ping)));
  EXPECT_THAT(ruleset({.host = HostAccess::kPing}), HasSubstr(ping));
  EXPECT_THAT(ruleset({.host = HostAccess::kPing}), HasSubstr(rest));
  EXPECT_THAT(ruleset({.host = HostAccess::kAll}), Not(HasSubstr(rest)));
  EXPECT_THAT(ruleset({.host = HostAccess::kAll}), HasSubstr("ip daddr 127.0.0.0/8 drop"));
}

TEST(AccessRuleset, LetsNameServersBeAskedAheadOfAllRefusals) {
  const std::string rules = ruleset(
      {.denied = {*Prefix::parse("10.0.0.0/8")}, .name_servers = {*IpAddress::parse("10.8.0.1")}});
  EXPECT_THAT(rules, HasSubstr("ip daddr 10.8.0.1 meta l4proto { tcp, udp } th dport 53 return\n"
                               "    ip daddr 10.0.0.0/8 goto refused\n"));
  EXPECT_THAT(rules, HasSubstr("ip daddr 10.8.0.1 meta l4proto { tcp, udp } th dport 53 accept\n"));
}

TEST(AccessRuleset, FollowsNoConnectionsWhereNobodyElseDoes) {
  ClientAccess routed{.answers_only = false, .answers_only6 = false, .follows_connections = false};
  EXPECT_THAT(ruleset(routed), Not(HasSubstr("    ct ")));
  EXPECT_THAT(ruleset(routed), HasSubstr("@talks4 accept"));
  routed.answers_only6 = true;
  EXPECT_THAT(ruleset(routed), Not(HasSubstr("talks4")));
}

TEST(AccessRuleset, IsTakenByTheKernelInEveryForm) {
  in_fresh_network([] {
    for (unsigned form = 0; form < 64; ++form) {
      ClientAccess access{.answers_only = (form & 1) != 0,
                          .answers_only6 = (form & 2) != 0,
                          .reach_each_other = (form & 4) != 0,
                          .host = static_cast<HostAccess>((form >> 3) % 3),
                          .follows_connections = (form & 32) != 0};
      if (form % 2 == 0) access.denied = {*Prefix::parse("fe80::/10"), *Prefix::parse("0.0.0.0/0")};
      if (form % 3 == 0) access.name_servers = {*IpAddress::parse("fd00::53")};
      const std::string rules = access_ruleset("qdt_test/access", "", "qdt0", access);
      EXPECT_EQ(rules.find('$'), rules.npos);
      const auto ok = run_nft(rules);
      EXPECT_TRUE(ok) << ok.error().message << rules;
    }
  });
}

}  // namespace
}  // namespace qdt::os
