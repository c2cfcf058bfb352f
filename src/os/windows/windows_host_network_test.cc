#include "os/windows/windows_host_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/windows/network_model_fixture.h"

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WindowsHostNetworkTest : public NetworkModelTest {};

TEST_F(WindowsHostNetworkTest, ConfiguresTheDeviceForIpv4) {
  ASSERT_TRUE(network().configure_tun(ip("10.8.0.2"), 32, 1400));
  EXPECT_THAT(take_changes(), ElementsAre("set 77 v4 MTU 1400 metric 5",
                                          "set 77 v6 MTU 1500 metric auto",  // and quiet
                                          "add address 10.8.0.2"));
  close();
  EXPECT_THAT(take_changes(),
              ElementsAre("remove address 10.8.0.2", "set 77 v6 MTU 1500 metric auto ra",
                          "set 77 v4 MTU 1500 metric auto"));
}

TEST_F(WindowsHostNetworkTest, ConfiguresTheDeviceForBoth) {
  ASSERT_TRUE(configure_both());
  EXPECT_THAT(take_changes(),
              ElementsAre("set 77 v4 MTU 1400 metric 5", "set 77 v6 MTU 1400 metric 5",
                          "add address 10.8.0.2", "add address fd00::2"));
}

TEST_F(WindowsHostNetworkTest, ReplacesAddressAndMtuForAnotherLease) {
  ASSERT_TRUE(configure_both());
  take_changes();
  ASSERT_TRUE(network().configure_tun(ip("10.8.0.9"), 32, 1300));
  EXPECT_THAT(take_changes(), ElementsAre("set 77 v4 MTU 1300 metric 5", "add address 10.8.0.9",
                                          "remove address 10.8.0.2", "remove address fd00::2"));
}

TEST_F(WindowsHostNetworkTest, ChangesTheMtuAloneAndPutsBackTheFirst) {
  ASSERT_TRUE(configure_both());
  ASSERT_TRUE(network().set_tun_mtu(1300));
  ASSERT_TRUE(network().set_tun_mtu(1280));
  take_changes();
  close();
  EXPECT_THAT(take_changes(),
              ElementsAre("set 77 v6 MTU 1500 metric auto ra", "set 77 v4 MTU 1500 metric auto",
                          "remove address fd00::2", "remove address 10.8.0.2"));
}

TEST_F(WindowsHostNetworkTest, RefusesAnMtuThatIpv6DoesNotTake) {
  const auto set = network().configure_tun(kBoth, 1279);
  ASSERT_FALSE(set);
  EXPECT_THAT(set.error().message, HasSubstr("IPv6 to 1279: Windows takes none below 1280"));
  EXPECT_EQ(model_.host, before_);
}

TEST_F(WindowsHostNetworkTest, SaysWhenIpv6IsSwitchedOff) {
  model_.host.settings.erase({NetworkModel::kTun, IpFamily::kV6});
  before_ = model_.host;
  const auto set = configure_both();
  ASSERT_FALSE(set);
  EXPECT_THAT(set.error().message, HasSubstr("is IPv6 switched off in this host?"));
  EXPECT_EQ(model_.host, before_);
  EXPECT_TRUE(network().configure_tun(ip("10.8.0.2"), 32, 1400));
}

TEST_F(WindowsHostNetworkTest, SaysWhenThereIsNoAdapter) {
  std::erase_if(model_.host.interfaces, [](const Interface& one) { return one.is_tunnel(); });
  const auto set = configure_both();
  ASSERT_FALSE(set);
  EXPECT_THAT(set.error().message, HasSubstr("there is no network adapter qdt0; has somebody"));
}

TEST_F(WindowsHostNetworkTest, SaysWhenAnotherAdapterHasTheAddress) {
  model_.host.addresses.push_back({NetworkModel::kEthernet, ip("10.8.0.2"), 24});
  const auto set = configure_both();
  ASSERT_FALSE(set);
  EXPECT_THAT(set.error().message, HasSubstr("another network adapter of this host has it"));
}

TEST_F(WindowsHostNetworkTest, RoutesEverythingButTheServerAndWhatIsExcluded) {
  ASSERT_TRUE(configure_both());
  take_changes();
  network().leave_outside({.destinations = {net("100.64.0.0/10"), net("192.168.1.0/28")},
                           .server = ip("203.0.113.5"),
                           .name_servers = {}});
  ASSERT_TRUE(network().route_everything_through_tunnel());
  EXPECT_THAT(
      take_changes(),
      ElementsAre("add route 100.64.0.0/10 on 11 by 192.168.1.1 metric 20804",
                  "add route 203.0.113.5/32 on 11 by 192.168.1.1 metric 20804",
                  "add route 0.0.0.0/1 on 77 metric 0", "add route 128.0.0.0/1 on 77 metric 0",
                  "add route ::/1 on 77 metric 0", "add route 8000::/1 on 77 metric 0",
                  "open filters QDT qdt0", "set 8 filters 1"));
  close();
  EXPECT_THAT(
      take_changes(),
      ElementsAre(
          "remove route 8000::/1 on 77 metric 0", "remove route ::/1 on 77 metric 0",
          "remove route 128.0.0.0/1 on 77 metric 0", "remove route 0.0.0.0/1 on 77 metric 0",
          "remove route 203.0.113.5/32 on 11 by 192.168.1.1 metric 20804",
          "remove route 100.64.0.0/10 on 11 by 192.168.1.1 metric 20804", "remove address fd00::2",
          "remove address 10.8.0.2", "set 77 v6 MTU 1500 metric auto ra",
          "set 77 v4 MTU 1500 metric auto", "close filters 1"));
}

TEST_F(WindowsHostNetworkTest, RoutesAnIpv6ServerByItsOwnGateway) {
  ASSERT_TRUE(configure_both());
  take_changes();
  network().leave_outside({.destinations = {}, .server = ip("2001:db8:9::5"), .name_servers = {}});
  ASSERT_TRUE(network().route_everything_through_tunnel());
  EXPECT_THAT(take_changes(),
              testing::Contains("add route 2001:db8:9::5/128 on 11 by fe80::1 metric 20804"));
}

TEST_F(WindowsHostNetworkTest, NeedsNoRouteToAServerInTheLan) {
  ASSERT_TRUE(network().configure_tun(ip("10.8.0.2"), 32, 1400));
  take_changes();
  network().leave_outside({.destinations = {}, .server = ip("192.168.1.9"), .name_servers = {}});
  ASSERT_TRUE(network().route_everything_through_tunnel());
  EXPECT_THAT(take_changes(),
              ElementsAre("add route 0.0.0.0/1 on 77 metric 0",
                          "add route 128.0.0.0/1 on 77 metric 0", "open filters QDT qdt0",
                          "set 12 filters 1"));  // those of DNS, and of all IPv6
}

TEST_F(WindowsHostNetworkTest, TakesAnotherServersRouteBeforeItLosesTheFirst) {
  ASSERT_TRUE(everything());
  take_changes();
  network().leave_outside({.destinations = {}, .server = ip("198.51.100.7"), .name_servers = {}});
  ASSERT_TRUE(network().route_everything_through_tunnel());
  EXPECT_THAT(
      take_changes(),
      ElementsAre("add route 198.51.100.7/32 on 11 by 192.168.1.1 metric 20804", "set 8 filters 1",
                  "remove route 203.0.113.5/32 on 11 by 192.168.1.1 metric 20804"));
}

TEST_F(WindowsHostNetworkTest, RoutesOnlyWhatItIsTold) {
  ASSERT_TRUE(network().configure_tun(ip("10.8.0.2"), 32, 1400));
  take_changes();
  const Prefix first[] = {net("10.9.0.0/16"), net("fd01::/16")};
  ASSERT_TRUE(network().route_only(first));
  EXPECT_THAT(take_changes(), ElementsAre("add route 10.9.0.0/16 on 77 metric 0",
                                          "open filters QDT qdt0", "set 2 filters 1"));
  const Prefix second[] = {net("10.10.0.0/16")};
  ASSERT_TRUE(network().route_only(second));
  EXPECT_THAT(take_changes(),
              ElementsAre("add route 10.10.0.0/16 on 77 metric 0", "close filters 1",
                          "remove route 10.9.0.0/16 on 77 metric 0"));
}

TEST_F(WindowsHostNetworkTest, RoutesAllOrNothing) {
  ASSERT_TRUE(network().configure_tun(ip("10.8.0.2"), 32, 1400));
  const NetworkModel::Host configured = model_.host;
  const Prefix some[] = {net("10.9.0.0/16"), net("192.168.1.0/24")};
  const auto routed = network().route_only(some);
  ASSERT_FALSE(routed);
  EXPECT_THAT(routed.error().message, HasSubstr("exclude"));
  EXPECT_EQ(model_.host, configured);
}

TEST_F(WindowsHostNetworkTest, SetsNameServersForAllNames) {
  ASSERT_TRUE(everything());
  take_changes();
  const IpAddress servers[] = {ip("10.8.0.1"), ip("fd00::1")};
  ASSERT_TRUE(network().use_dns(servers));
  EXPECT_THAT(take_changes(), ElementsAre("set dns 77 v4 10.8.0.1", "set dns 77 v6 fd00::1",
                                          "add policy QDT-qdt0 10.8.0.1 fd00::1"));
  ASSERT_TRUE(network().use_dns({servers, 1}));
  EXPECT_THAT(take_changes(), ElementsAre("set dns 77 v6 none", "add policy QDT-qdt0 10.8.0.1"));
  close();
  EXPECT_EQ(model_.host, before_);
}

TEST_F(WindowsHostNetworkTest, SetsNameServersOfTheAdapterAloneWhereItTakesNotEverything) {
  ASSERT_TRUE(network().configure_tun(ip("10.8.0.2"), 32, 1400));
  take_changes();
  const IpAddress servers[] = {ip("10.8.0.1")};
  ASSERT_TRUE(network().use_dns(servers));
  EXPECT_THAT(take_changes(), ElementsAre("set dns 77 v4 10.8.0.1"));
}

TEST_F(WindowsHostNetworkTest, SetsNameServersForSomeDomainsByPolicyAlone) {
  ASSERT_TRUE(network().configure_tun(ip("10.8.0.2"), 32, 1400));
  take_changes();
  ASSERT_TRUE(network().use_dns({.servers = {ip("10.8.0.1")}, .domains = {"corp.example", "lan"}}));
  EXPECT_THAT(take_changes(), ElementsAre("add policy QDT-qdt0 10.8.0.1"));
  ASSERT_EQ(model_.host.policies.size(), 1u);
  EXPECT_THAT(model_.host.policies[0].names, ElementsAre(".corp.example", ".lan"));
  network().keep();
  EXPECT_THAT(take_changes(), testing::IsEmpty());
  ASSERT_TRUE(network().use_dns(NameServerWish{}));
  EXPECT_THAT(take_changes(), ElementsAre("remove policy QDT-qdt0"));
  close();
  EXPECT_EQ(model_.host, before_);
}

TEST_F(WindowsHostNetworkTest, KnowsTheNameServersOutside) {
  model_.host.dns[NetworkModel::kEthernet] = {ip("192.168.1.1"), ip("fe80::1"), ip("9.9.9.9")};
  model_.host.dns[NetworkModel::kRadio] = {ip("172.16.0.1")};  // it is off
  ASSERT_TRUE(everything());
  const IpAddress servers[] = {ip("10.8.0.1")};
  ASSERT_TRUE(network().use_dns(servers));
  EXPECT_THAT(network().name_servers_outside(), ElementsAre(ip("192.168.1.1"), ip("9.9.9.9")));
}

TEST_F(WindowsHostNetworkTest, IsNoServers) {
  const auto nat = network().install_nat({.pool = net("10.8.0.0/24"), .external_interface = ""});
  ASSERT_FALSE(nat);
  EXPECT_THAT(nat.error().message, HasSubstr("can be a client of QDT, but no server"));
  EXPECT_FALSE(network().enable_forwarding());
  EXPECT_FALSE(network().enable_ipv6_forwarding());
}

}  // namespace
}  // namespace qdt::os
