#include "os/host_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/linux/host_network_fixture.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HostNetwork, ConfiguresTheTunDevice) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kInner, 24, 1350));
    const std::string link = shell("ip address show qdt0; ip route show dev qdt0");
    EXPECT_THAT(link, HasSubstr("UP"));
    EXPECT_THAT(link, HasSubstr("mtu 1350"));
    EXPECT_THAT(link, HasSubstr("qlen 1000"));
    EXPECT_THAT(link, HasSubstr("inet 10.8.0.2/24"));
    EXPECT_THAT(link, HasSubstr("10.8.0.0/24 proto kernel scope link src 10.8.0.2"));
    EXPECT_THAT(link, Not(HasSubstr("inet6")));
  });
}

TEST(HostNetwork, GivesAFullLengthAddressNoRoute) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kInner, 32, 1350));
    EXPECT_EQ(shell("ip route show dev qdt0"), "");
    EXPECT_THAT(shell("ip address show qdt0"), HasSubstr("noprefixroute"));
  });
}

TEST(HostNetwork, ReplacesTheAddressAndKeepsTheRoutes) {
  in_fresh_network([] {
    Host host;
    change_everything(*host.network);
    expect_ok(host.network->configure_tun(*IpAddress::parse("10.8.0.3"), 24, 1300));
    const std::string link = shell("ip address show qdt0; ip route show table all dev qdt0");
    EXPECT_THAT(link, HasSubstr("mtu 1300"));
    EXPECT_THAT(link, Not(HasSubstr("10.8.0.2/")));
    EXPECT_THAT(link, HasSubstr("172.16.0.0/12"));
    EXPECT_THAT(link, HasSubstr("default table"));
    EXPECT_THAT(shell("nft list ruleset"), HasSubstr("ip daddr 10.8.0.3 drop"));
    EXPECT_THAT(shell("nft list ruleset"), Not(HasSubstr("ip daddr 10.8.0.2 drop")));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, SwitchesForwardingOnAndOffAgain) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->enable_forwarding());
    EXPECT_EQ(read_text("/proc/sys/net/ipv4/ip_forward"), "1\n");
    EXPECT_THAT(host.logger.text, HasSubstr("IPv4 forwarding switched on; it was off"));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, LeavesForwardingOnThatWasOn) {
  in_fresh_network([] {
    write_text("/proc/sys/net/ipv4/ip_forward", "1");
    Host host;
    expect_ok(host.network->enable_forwarding());
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
    EXPECT_EQ(read_text("/proc/sys/net/ipv4/ip_forward"), "1\n");
  });
}

TEST(HostNetwork, LeavesForwardingOnForTheInterfaceThatHadItAlone) {
  in_fresh_network([] {
    write_text("/proc/sys/net/ipv4/conf/lo/forwarding", "1");
    Host host;
    expect_ok(host.network->enable_forwarding());
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
    EXPECT_EQ(read_text("/proc/sys/net/ipv4/conf/lo/forwarding"), "1\n");
  });
}

TEST(HostNetwork, LeavesForwardingAloneThatSomebodyElseHasSwitchedOff) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->enable_forwarding());
    write_text("/proc/sys/net/ipv4/ip_forward", "0");
    host.network.reset();
    EXPECT_THAT(host.logger.text, Not(HasSubstr("ip_forward")));  // nothing to put back
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, ChangesTheMtuAndNothingElse) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kInner, 24, 1400));
    const std::string addresses = shell("ip -o address show dev qdt0");
    const std::string routes = shell("ip route");
    expect_ok(host.network->set_tun_mtu(1280));
    EXPECT_THAT(shell("ip -o link show qdt0"), HasSubstr("mtu 1280"));
    EXPECT_EQ(shell("ip -o address show dev qdt0"), addresses);
    EXPECT_EQ(shell("ip route"), routes);
    EXPECT_FALSE(host.network->set_tun_mtu(20));
    expect_ok(host.network->set_tun_mtu(1400));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, InstallsTranslationAndForwarding) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->install_nat(kNat));
    const std::string rules = shell("nft list table inet qdt_qdt0");
    EXPECT_THAT(rules, HasSubstr(R"(ip saddr 10.8.0.0/24 oifname "up0" masquerade)"));
    EXPECT_THAT(rules, HasSubstr(R"(iifname "qdt0" accept)"));
    EXPECT_THAT(rules, HasSubstr(R"(oifname "qdt0" accept)"));
  });
}

TEST(HostNetwork, TranslatesOnEveryOtherInterfaceWhereNoneIsNamed) {
  in_fresh_network([] {
    Host host;
    NatOptions options = kNat;
    options.external_interface = "";
    expect_ok(host.network->install_nat(kNat));
    expect_ok(host.network->install_nat(options));  // takes the place of the first
    const std::string rules = shell("nft list table inet qdt_qdt0");
    EXPECT_THAT(rules, HasSubstr(R"(oifname != { "lo", "qdt0" } masquerade)"));
    EXPECT_THAT(rules, Not(HasSubstr("up0")));
  });
}

TEST(HostNetwork, NamesWhatStopsForwardingUntilItIsRemedied) {
  in_fresh_network([] {
    Host host;
    EXPECT_TRUE(host.network->forwarding_obstacles().empty());
    shell(
        "nft 'add table ip filter; add chain ip filter FORWARD "
        "{ type filter hook forward priority 0; policy drop; }; add chain ip filter DOCKER-USER'");
    EXPECT_THAT(host.network->forwarding_obstacles(),
                testing::ElementsAre(HasSubstr("iptables -I DOCKER-USER -i qdt0 -j ACCEPT; "
                                               "iptables -I DOCKER-USER -o qdt0 -j ACCEPT")));
    shell("nft add rule ip filter DOCKER-USER iifname qdt0 accept");
    EXPECT_TRUE(host.network->forwarding_obstacles().empty());
  });
}

TEST(HostNetwork, RoutesAPrefixThroughTheTunnel) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kInner, 24, 1350));
    for (int i = 0; i < 2; ++i) {  // a second time changes nothing
      expect_ok(host.network->route_only(kRoutes));
    }
    EXPECT_THAT(shell("ip route get 172.20.0.1"), HasSubstr("dev qdt0"));
    EXPECT_THAT(shell("ip route get 8.8.8.8"), HasSubstr("dev up0"));
  });
}

TEST(HostNetwork, RefusesAPrefixThatTheHostRoutesElsewhere) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kInner, 24, 1350));
    const auto routed = host.network->route_only(std::vector{*Prefix::parse("192.0.2.0/24")});
    ASSERT_FALSE(routed);
    EXPECT_THAT(routed.error().message, HasSubstr("ip route show 192.0.2.0/24"));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, RoutesEverythingButTheTunnelsOwnPacketsAndLocalNetworks) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kInner, 24, 1350));
    expect_ok(host.network->route_everything_through_tunnel());
    EXPECT_THAT(shell("ip route get 8.8.8.8"), HasSubstr("dev qdt0"));
    EXPECT_THAT(shell("ip route get 8.8.8.8 mark 0x514454"), HasSubstr("via 192.0.2.1 dev up0"));
    EXPECT_THAT(shell("ip route get 192.0.2.9"), HasSubstr("dev qdt0"));
    EXPECT_THAT(host.logger.text, HasSubstr("route 192.0.2.0/24 dev up0 does not count"));
    EXPECT_THAT(shell("ip -6 route get 2001:db8::1"), HasSubstr("No route to host"));
    EXPECT_EQ(read_text("/proc/sys/net/ipv4/conf/all/src_valid_mark"), "1\n");
    expect_ok(host.network->route_everything_through_tunnel());  // changes nothing
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, DoesWithoutSettingsThatAContainerCannotChange) {
  in_fresh_network([] {
    Host host;
    ASSERT_EQ(::mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(::mount("none", "/proc/sys", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), 0);
    expect_ok(host.network->configure_tun(kInner, 32, 1350));
    expect_ok(host.network->route_everything_through_tunnel());
    EXPECT_THAT(host.logger.text, HasSubstr("(rp_filter=1) would drop the server's answers"));
    const auto forwards = host.network->enable_forwarding();
    ASSERT_FALSE(forwards);
    EXPECT_THAT(forwards.error().message,
                HasSubstr("start the container with --sysctl net.ipv4.ip_forward=1"));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

TEST(HostNetwork, WarnsOfAnExternalInterfaceThatIsNotThere) {
  in_fresh_network([] {
    Host host;
    NatOptions options = kNat;
    options.external_interface = "eth7";
    expect_ok(host.network->install_nat(options));
    EXPECT_THAT(host.logger.text, HasSubstr("there is no network device eth7"));
  });
}

TEST(HostNetwork, RoutesIpv4AloneWhereTheKernelHasNoIpv6) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kInner, 24, 1350));
    ASSERT_EQ(::mount("none", "/proc/self/net", "tmpfs", 0, nullptr), 0);  // hides if_inet6
    const std::string rules = shell("ip -6 rule");
    expect_ok(host.network->route_everything_through_tunnel());
    EXPECT_EQ(shell("ip -6 rule"), rules);
    EXPECT_THAT(shell("ip route get 8.8.8.8"), HasSubstr("dev qdt0"));
  });
}

TEST(HostNetwork, RefusesNamesThatNeedQuoting) {
  TestLogger logger;
  for (const char* name : {"", "qdt%d", "a b", "a/b", "..", "-a", "a\"b", "sixteen-letters1"}) {
    EXPECT_FALSE(open_host_network(name, logger)) << name;
  }
}

TEST(HostNetwork, RefusesIpv6ThatTheTunnelDoesNotCarry) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kInner, 24, 1350));
    expect_ok(host.network->route_only(std::vector{*Prefix::parse("fd00::/8")}));
    EXPECT_THAT(shell("ip -6 route show fd00::/8"), HasSubstr("unreachable"));
    host.network.reset();
    EXPECT_EQ(host_state(), host.before);
  });
}

}  // namespace
}  // namespace qdt::os
