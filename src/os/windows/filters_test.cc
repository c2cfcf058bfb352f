#include "os/windows/filters.h"

#include <gtest/gtest.h>

#include <optional>

#include "os/windows/network_model.h"

namespace qdt::os {
namespace {

/// The subject of a filter: one connection, or a packet that belongs to none.
struct Flow {
  Direction direction = Direction::kOut;
  IpAddress remote;
  std::uint8_t protocol = 17;
  std::uint16_t local_port = 50000;
  std::uint16_t remote_port = 443;
  InterfaceId link = NetworkModel::kEthernet;
  bool is_ours = false;  // this program's
};

bool fits(const FilterCondition& condition, const Flow& flow) {
  if (const auto* on = std::get_if<OnInterface>(&condition)) return on->link == flow.link;
  if (std::holds_alternative<OnLoopback>(condition)) return flow.link == NetworkModel::kLoopback;
  if (std::holds_alternative<OfThisProgram>(condition)) return flow.is_ours;
  if (const auto* to = std::get_if<RemotePrefix>(&condition))
    return to->prefix.contains(flow.remote);
  if (const auto* by = std::get_if<IpProtocol>(&condition)) return by->number == flow.protocol;
  if (const auto* at = std::get_if<LocalPort>(&condition)) return at->port == flow.local_port;
  return std::get<RemotePort>(condition).port == flow.remote_port;
}

// As the platform does it: of one kind any, of different kinds all.
bool fits(const Filter& filter, const Flow& flow) {
  if (filter.direction != flow.direction || filter.family != family_of(flow.remote)) return false;
  std::map<std::size_t, bool> kinds;
  for (const FilterCondition& condition : filter.conditions) {
    kinds[condition.index()] |= fits(condition, flow);
  }
  return std::ranges::all_of(kinds, [](const auto& kind) { return kind.second; });
}

bool passes(const std::vector<Filter>& filters, const Flow& flow) {
  const Filter* decisive = nullptr;
  for (const Filter& filter : filters) {
    if (!fits(filter, flow)) continue;
    if (decisive == nullptr || filter.weight > decisive->weight) decisive = &filter;
  }
  return decisive == nullptr || decisive->is_permit;
}

const KillSwitch::Options kStrict{.tun_name = "qdt0"};

TEST(WindowsKillSwitchFilters, LetPassOnlyTheTunnelAndItsPackets) {
  const auto filters = kill_switch_filters(kStrict, NetworkModel::kTun);
  for (const std::string_view remote : {"203.0.113.5", "2001:db8::5", "192.168.1.9", "fe80::9"}) {
    for (const Direction direction : {Direction::kOut, Direction::kIn}) {
      const Flow flow{.direction = direction, .remote = ip(remote)};
      Flow in_tunnel = flow, in_host = flow, ours = flow;
      in_tunnel.link = NetworkModel::kTun;
      in_host.link = NetworkModel::kLoopback;
      ours.is_ours = true;
      EXPECT_FALSE(passes(filters, flow)) << remote;
      EXPECT_TRUE(passes(filters, in_tunnel)) << remote;
      EXPECT_TRUE(passes(filters, in_host)) << remote;
      EXPECT_TRUE(passes(filters, ours)) << remote;
    }
  }
}

TEST(WindowsKillSwitchFilters, LetNothingIntoATunnelThatIsNotThere) {
  const auto filters = kill_switch_filters(kStrict, std::nullopt);
  EXPECT_FALSE(passes(filters, {.remote = ip("203.0.113.5"), .link = NetworkModel::kTun}));
}

TEST(WindowsKillSwitchFilters, LetPassWhatALinkNeeds) {
  const auto filters = kill_switch_filters(kStrict, NetworkModel::kTun);
  const Flow dhcp{.remote = ip("255.255.255.255"), .local_port = 68, .remote_port = 67};
  EXPECT_TRUE(passes(filters, dhcp));
  EXPECT_TRUE(passes(filters, {.direction = Direction::kIn,
                               .remote = ip("192.168.1.1"),
                               .local_port = 68,
                               .remote_port = 67}));
  EXPECT_FALSE(passes(filters, {.remote = ip("203.0.113.5"), .local_port = 68, .remote_port = 67}));
  EXPECT_TRUE(passes(filters, {.remote = ip("ff02::1:2"), .local_port = 546, .remote_port = 547}));
  EXPECT_FALSE(
      passes(filters, {.remote = ip("2001:db8::5"), .local_port = 546, .remote_port = 547}));
  constexpr std::uint8_t kIcmp6 = 58;
  const auto icmp6 = [](std::uint16_t type, std::string_view remote) {
    return Flow{.remote = ip(remote), .protocol = kIcmp6, .local_port = type, .remote_port = 0};
  };
  EXPECT_TRUE(passes(filters, icmp6(135, "2001:db8:1::9")));   // neighbour solicitation
  EXPECT_TRUE(passes(filters, icmp6(133, "ff02::2")));         // router solicitation
  EXPECT_FALSE(passes(filters, icmp6(133, "2001:db8:1::9")));  // not to just anybody
  EXPECT_FALSE(passes(filters, icmp6(128, "fe80::9")));        // echo request
}

TEST(WindowsKillSwitchFilters, LetPassTheLanAndWhatIsExcludedWhenAsked) {
  const auto filters = kill_switch_filters(
      {.tun_name = "qdt0", .allows_lan = true, .outside = {net("198.51.100.0/24")}},
      NetworkModel::kTun);
  for (const std::string_view remote : {"192.168.1.9", "10.1.2.3", "fe80::9", "198.51.100.7"}) {
    EXPECT_TRUE(passes(filters, {.remote = ip(remote)})) << remote;
    EXPECT_TRUE(passes(filters, {.direction = Direction::kIn, .remote = ip(remote)})) << remote;
  }
  EXPECT_FALSE(passes(filters, {.remote = ip("203.0.113.5")}));
  EXPECT_FALSE(passes(filters, {.remote = ip("2001:db8:1::9")}));
}

TEST(WindowsRefusals, RefuseDnsAroundTheTunnel) {
  const auto filters =
      filters_of({.tun = NetworkModel::kTun, .refuses_dns = true, .name_servers = {ip("9.9.9.9")}});
  for (const std::uint8_t protocol : {std::uint8_t{6}, std::uint8_t{17}}) {
    for (const std::uint16_t port : {std::uint16_t{53}, std::uint16_t{853}}) {
      Flow flow{.remote = ip("192.168.1.1"), .protocol = protocol, .remote_port = port};
      EXPECT_FALSE(passes(filters, flow));
      flow.remote = ip("9.9.9.9");
      EXPECT_TRUE(passes(filters, flow));
      flow = {.remote = ip("fe80::1"), .protocol = protocol, .remote_port = port};
      EXPECT_FALSE(passes(filters, flow));
      flow.link = NetworkModel::kTun;
      EXPECT_TRUE(passes(filters, flow));
      flow.link = NetworkModel::kLoopback;
      EXPECT_TRUE(passes(filters, flow));
      flow = {.remote = ip("192.168.1.1"), .protocol = protocol, .remote_port = port};
      flow.is_ours = true;
      EXPECT_TRUE(passes(filters, flow));
    }
  }
  EXPECT_TRUE(passes(filters, {.remote = ip("203.0.113.5")}));
  EXPECT_TRUE(passes(filters, {.remote = ip("2001:db8::5")}));
}

TEST(WindowsRefusals, RefuseIpv6ButThatOfLocalNetworks) {
  const auto filters = filters_of({.tun = NetworkModel::kTun,
                                   .refuses_dns = true,
                                   .refuses_ipv6 = true,
                                   .ipv6_outside = {net("2001:db8:1::/64")}});
  EXPECT_FALSE(passes(filters, {.remote = ip("2001:db8::5")}));
  EXPECT_TRUE(passes(filters, {.remote = ip("2001:db8::5"), .is_ours = true}));
  EXPECT_TRUE(passes(filters, {.remote = ip("2001:db8:1::9")}));
  EXPECT_TRUE(passes(filters, {.remote = ip("fe80::9")}));
  EXPECT_TRUE(passes(filters, {.remote = ip("::1"), .link = NetworkModel::kLoopback}));
  EXPECT_FALSE(passes(filters, {.remote = ip("2001:db8:1::1"), .remote_port = 53}));
  EXPECT_TRUE(passes(filters, {.remote = ip("203.0.113.5")}));
}

TEST(WindowsRefusals, RefuseDestinationsThatAreLost) {
  const auto filters = filters_of({.tun = NetworkModel::kTun, .destinations = {net("fd01::/16")}});
  EXPECT_FALSE(passes(filters, {.remote = ip("fd01::5")}));
  EXPECT_TRUE(passes(filters, {.remote = ip("fd02::5")}));
}

}  // namespace
}  // namespace qdt::os
