// HostNetwork where the tunnel carries IPv6.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <vector>

#include "os/linux/host_network_fixture.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<TunAddress> kBoth = {{kInner, 24}, {*IpAddress::parse("fd00:8::2"), 64}};
const std::vector<TunAddress> kBothAlone = {{kInner, 32}, {*IpAddress::parse("fd00:8::2"), 128}};

void expect_undone(Host& host) {
  host.network.reset();
  EXPECT_EQ(host_state(), host.before);
}

TEST(HostNetworkIpv6, GivesTheDeviceBothAddressesAndNoOther) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kBoth, 1350));
    const std::string link = shell("ip address show qdt0; ip -6 route show dev qdt0");
    EXPECT_THAT(link, HasSubstr("inet 10.8.0.2/24"));
    EXPECT_THAT(link, HasSubstr("inet6 fd00:8::2/64"));
    EXPECT_THAT(link, HasSubstr("fd00:8::/64 proto kernel"));
    EXPECT_THAT(link, Not(HasSubstr("fe80")));
    EXPECT_THAT(link, Not(HasSubstr("tentative")));
    expect_undone(host);
  });
}

TEST(HostNetworkIpv6, SaysNothingIntoTheTunnelByItself) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kBothAlone, 1350));
    expect_ok(host.network->route_everything_through_tunnel());
    pollfd readable{.fd = host.tun.fd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&readable, 1, 1500), 0);  // a router solicitation comes within a second
  });
}

TEST(HostNetworkIpv6, TakesBothKindsIntoTheTunnel) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kBothAlone, 1350));
    expect_ok(host.network->route_everything_through_tunnel());
    EXPECT_THAT(shell("ip -6 route get 2001:db8::1"), HasSubstr("dev qdt0"));
    EXPECT_THAT(shell("ip -6 route get 2001:db8::1"), HasSubstr("src fd00:8::2"));
    EXPECT_THAT(shell("ip -6 route get 2001:db8::1 mark 0x514454"), Not(HasSubstr("qdt0")));
    EXPECT_THAT(shell("nft list ruleset"), HasSubstr("ip6 daddr fd00:8::2"));
    EXPECT_THAT(host.logger.text, HasSubstr("all traffic is routed through qdt0"));
    expect_undone(host);
  });
}

// As after a reconnect to a server that has changed its mind.
TEST(HostNetworkIpv6, RefusesIpv6AgainOnceTheTunnelHasNone) {
  in_fresh_network([] {
    Host host;
    for (int i = 0; i < 2; ++i) {
      expect_ok(host.network->configure_tun(kBothAlone, 1350));
      expect_ok(host.network->route_everything_through_tunnel());
      EXPECT_THAT(shell("ip -6 route get 2001:db8::1"), HasSubstr("dev qdt0"));
      expect_ok(host.network->configure_tun(kInner, 32, 1350));
      EXPECT_THAT(shell("ip -6 route get 2001:db8::1"), HasSubstr("No route to host"));
      EXPECT_THAT(shell("ip address show qdt0"), Not(HasSubstr("inet6")));
      expect_ok(host.network->route_everything_through_tunnel());
      EXPECT_THAT(shell("ip -6 route get 2001:db8::1"), HasSubstr("No route to host"));
    }
    expect_undone(host);
  });
}

TEST(HostNetworkIpv6, ReplacesTheAddressAndKeepsTheRoutes) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kBothAlone, 1350));
    expect_ok(host.network->route_everything_through_tunnel());
    const std::vector<TunAddress> others = {{*IpAddress::parse("10.8.0.3"), 32},
                                            {*IpAddress::parse("fd00:8::3"), 128}};
    expect_ok(host.network->configure_tun(others, 1300));
    const std::string link = shell("ip address show qdt0");
    EXPECT_THAT(link, Not(HasSubstr("fd00:8::2")));
    EXPECT_THAT(shell("ip -6 route get 2001:db8::1"), HasSubstr("src fd00:8::3"));
    expect_undone(host);
  });
}

TEST(HostNetworkIpv6, RoutesAPrefixThroughTheTunnel) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kBothAlone, 1350));
    expect_ok(host.network->route_only(std::vector{*Prefix::parse("fd00:8::/64")}));
    EXPECT_THAT(shell("ip -6 route get fd00:8::77"), HasSubstr("dev qdt0"));
    EXPECT_THAT(shell("ip -6 route get 2001:db8::1"), Not(HasSubstr("qdt0")));
    expect_undone(host);
  });
}

TEST(HostNetworkIpv6, IsAllowedOnTheDeviceOfAHostThatHasItOff) {
  in_fresh_network([] {
    write_text("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    Host host;
    EXPECT_TRUE(can_use_ipv6());
    expect_ok(host.network->configure_tun(kBoth, 1350));
    EXPECT_THAT(shell("ip address show qdt0"), HasSubstr("inet6 fd00:8::2/64"));
  });
}

TEST(HostNetworkIpv6, IsKnownToBeOffWhereNobodyCanSwitchItOn) {
  in_fresh_network([] {
    EXPECT_TRUE(can_use_ipv6());
    ASSERT_EQ(::mount("none", "/proc/self/net", "tmpfs", 0, nullptr), 0);  // hides if_inet6
    EXPECT_FALSE(can_use_ipv6());
  });
}

TEST(HostNetworkIpv6, LeavesNothingHalfDoneWhereTheMtuIsTooSmall) {
  in_fresh_network([] {
    Host host;
    EXPECT_FALSE(host.network->configure_tun(kBoth, 1279));
    EXPECT_THAT(shell("ip address show qdt0"), Not(HasSubstr("inet ")));
    expect_undone(host);
  });
}

// --- a server ---

TEST(HostNetworkIpv6, SwitchesForwardingOnAndOffAgain) {
  in_fresh_network([] {
    Host host;
    write_text("/proc/sys/net/ipv6/conf/lo/forwarding", "1");
    expect_ok(host.network->enable_ipv6_forwarding());
    EXPECT_EQ(read_text("/proc/sys/net/ipv6/conf/all/forwarding"), "1\n");
    EXPECT_EQ(read_text("/proc/sys/net/ipv6/conf/up0/forwarding"), "1\n");
    EXPECT_THAT(host.logger.text, HasSubstr("IPv6 forwarding switched on; it was off"));
    host.network.reset();
    EXPECT_EQ(read_text("/proc/sys/net/ipv6/conf/all/forwarding"), "0\n");
    EXPECT_EQ(read_text("/proc/sys/net/ipv6/conf/up0/forwarding"), "0\n");
    EXPECT_EQ(read_text("/proc/sys/net/ipv6/conf/lo/forwarding"), "1\n");
  });
}

TEST(HostNetworkIpv6, KeepsRouterAdvertisementsWhereTheyWereTaken) {
  in_fresh_network([] {
    Host host;
    const std::string up0 = "/proc/sys/net/ipv6/conf/up0/accept_ra";
    const std::string lo = "/proc/sys/net/ipv6/conf/lo/accept_ra";
    write_text(up0, "1");
    write_text(lo, "0");
    expect_ok(host.network->enable_ipv6_forwarding());
    EXPECT_EQ(read_text(up0), "2\n");
    EXPECT_EQ(read_text(lo), "0\n");
    host.network.reset();
    EXPECT_EQ(read_text(up0), "1\n");
  });
}

TEST(HostNetworkIpv6, IsTranslatedWhereItIsToBe) {
  in_fresh_network([] {
    Host host;
    NatOptions options = kNat;
    options.pool6 = *Prefix::parse("fd00:8::/64");
    expect_ok(host.network->install_nat(options));
    const std::string rules = shell("nft list table inet qdt_qdt0");
    EXPECT_THAT(rules, HasSubstr(R"(ip6 saddr fd00:8::/64 oifname "up0" masquerade)"));
    expect_undone(host);
  });
}

TEST(HostNetworkIpv6, SaysThatTheHostItselfHasNoWayToTheWorld) {
  in_fresh_network([] {
    Host host;
    expect_ok(host.network->configure_tun(kBoth, 1350));
    EXPECT_EQ(shell("ip -6 route add unreachable default metric 9"), "");
    EXPECT_THAT(host.network->forwarding_obstacles(),
                testing::ElementsAre(HasSubstr("no IPv6 route to the world")));
    EXPECT_EQ(shell("ip -6 route add default dev up0"), "");
    EXPECT_TRUE(host.network->forwarding_obstacles().empty());
  });
}

TEST(HostNetworkIpv6, NamesWhatStopsForwarding) {
  in_fresh_network([] {
    Host host;
    shell(
        "nft 'add table ip6 filter; add chain ip6 filter FORWARD "
        "{ type filter hook forward priority 0; policy drop; }'");
    expect_ok(host.network->configure_tun(kInner, 24, 1350));
    EXPECT_TRUE(host.network->forwarding_obstacles().empty());  // of no concern to IPv4
    expect_ok(host.network->configure_tun(kBoth, 1350));
    EXPECT_EQ(shell("ip -6 route add default dev up0"), "");
    EXPECT_THAT(host.network->forwarding_obstacles(),
                testing::ElementsAre(HasSubstr("ip6tables -I FORWARD -i qdt0 -j ACCEPT")));
  });
}

}  // namespace
}  // namespace qdt::os
