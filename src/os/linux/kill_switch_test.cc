#include "os/linux/kill_switch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/linux/host_network_fixture.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string table() {
  return shell("nft list table inet qdt_qdt0/kill");
}

TEST(KillSwitch, LetsOutByDestinationAlone) {
  const std::string rules = kill_switch_ruleset(
      {.tun_name = "qdt0", .allows_lan = true, .outside = {*Prefix::parse("192.0.2.0/24")}});
  const auto chain = rules.find("chain to_outside");
  const std::string to_outside = rules.substr(chain, rules.find("chain", chain + 1) - chain);
  EXPECT_THAT(to_outside, HasSubstr("ip daddr { 192.0.2.0/24 } accept"));
  EXPECT_THAT(to_outside, HasSubstr("ip daddr { 10.0.0.0/8"));
  EXPECT_THAT(to_outside, Not(HasSubstr("saddr")));  // our own address is one of the LAN's
  EXPECT_EQ(rules.find('$'), std::string::npos);
}

TEST(KillSwitch, OutlivesItsProcessAndEveryStart) {
  in_fresh_network([] {
    TestLogger logger;
    in_child([&] { ASSERT_TRUE(KillSwitch::raise({.tun_name = "qdt0"}, logger)); });
    EXPECT_THAT(table(), HasSubstr("policy drop"));
    {
      ASSERT_TRUE(open_host_network("other0", logger));
    }
    EXPECT_THAT(logger.text, HasSubstr("--cleanup lets go of it"));
    EXPECT_THAT(table(), HasSubstr("policy drop"));

    const auto again = KillSwitch::raise({.tun_name = "qdt0"}, logger);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_THAT(logger.text, HasSubstr("as it was left"));
    EXPECT_FALSE(KillSwitch::raise({.tun_name = "qdt0"}, logger));  // it has an owner
    (*again)->lower();
    EXPECT_THAT(table(), HasSubstr("No such file"));
  });
}

TEST(KillSwitch, IsRaisedAgainWhereSomebodyDeletedIt) {
  in_fresh_network([] {
    TestLogger logger;
    const auto kill_switch = KillSwitch::raise({.tun_name = "qdt0"}, logger);
    ASSERT_TRUE(kill_switch);
    shell("nft flush ruleset");
    Upkeep upkeep;
    (*kill_switch)->keep(upkeep);
    EXPECT_THAT(table(), HasSubstr("policy drop"));
    EXPECT_TRUE(upkeep.has_repairs());
    (*kill_switch)->keep(upkeep = {});
    EXPECT_FALSE(upkeep.has_repairs());
  });
}

TEST(KillSwitch, GoesByCleanUp) {
  in_fresh_network([] {
    TestLogger logger;
    const std::string before = host_state();
    in_child([&] { ASSERT_TRUE(KillSwitch::raise({.tun_name = "qdt0"}, logger)); });
    const auto done = clean_up_host_network("qdt0", logger);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->size(), 1u);
    EXPECT_EQ(host_state(), before);
  });
}

}  // namespace
}  // namespace qdt::os
