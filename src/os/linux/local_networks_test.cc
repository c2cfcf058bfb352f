#include "os/linux/local_networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kTun = 9;

Prefix prefix(const char* text) {
  return *Prefix::parse(text);
}

MainRoute connected(const char* text) {
  return {.destination = prefix(text), .link_index = 2, .is_connected = true, .way = "dev eth0"};
}

MainRoute behind_gateway(const char* text) {
  return {.destination = prefix(text), .link_index = 2, .way = "via 10.0.0.1 dev eth0"};
}

TEST(LocalNetworks, ArePrivateOrLinkLocal) {
  for (const char* text : {"10.0.0.0/8", "172.31.0.0/16", "192.168.7.0/24", "169.254.0.0/16",
                           "100.64.0.0/10", "fd00:7::/64", "fe80::/64"}) {
    EXPECT_TRUE(is_plausible_lan(prefix(text))) << text;
  }
  for (const char* text : {"10.0.0.0/7", "0.0.0.0/1", "172.32.0.0/16", "192.0.2.0/24", "8.8.8.8/32",
                           "2000::/3", "2001:db8:1::/64", "f000::/4", "::/1"}) {
    EXPECT_FALSE(is_plausible_lan(prefix(text))) << text;
  }
}

TEST(LocalNetworks, AreThoseThatTheHostIsIn) {
  const std::vector routes = {connected("10.1.0.0/16"), behind_gateway("10.2.0.0/16"),
                              connected("203.0.113.0/24")};
  const LocalNetworks found = local_networks(routes, {}, kTun);
  EXPECT_THAT(found.outside, ElementsAre(prefix("10.1.0.0/16")));
  EXPECT_THAT(found.ignored,
              ElementsAre("10.2.0.0/16 via 10.0.0.1 dev eth0", "203.0.113.0/24 dev eth0"));
}

TEST(LocalNetworks, ComeBesideThoseOfTheUser) {
  const Outside outside{.destinations = {prefix("203.0.113.0/24")}};
  const std::vector routes = {behind_gateway("203.0.113.128/25"), connected("10.1.0.0/16")};
  const LocalNetworks found = local_networks(routes, outside, kTun);
  EXPECT_THAT(found.outside, ElementsAre(prefix("10.1.0.0/16"), prefix("203.0.113.0/24")));
  EXPECT_THAT(found.ignored, IsEmpty());
}

TEST(LocalNetworks, AreNoneWhereTheUserWantsNone) {
  const Outside outside{.private_networks = false};
  const std::vector routes = {connected("10.1.0.0/16")};
  EXPECT_THAT(local_networks(routes, outside, kTun).outside, IsEmpty());
}

TEST(LocalNetworks, DoNotTakeTheTunnelsOwnAddresses) {
  const Outside outside{.inside = {prefix("10.8.0.0/24")}};
  const std::vector routes = {connected("10.8.0.0/25"), connected("10.8.0.0/24"),
                              connected("10.0.0.0/8")};
  const LocalNetworks found = local_networks(routes, outside, kTun);
  EXPECT_THAT(found.outside, ElementsAre(prefix("10.0.0.0/8")));
  EXPECT_EQ(found.ignored.size(), 2u);
}

TEST(LocalNetworks, AreNotTheTunnelsRoutes) {
  MainRoute route = connected("10.1.0.0/16");
  route.link_index = kTun;
  EXPECT_EQ(local_networks(std::vector{route}, {}, kTun), LocalNetworks());
}

TEST(LocalNetworks, AreBounded) {
  std::vector<MainRoute> routes;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const IpAddress network = IpAddress::v4(0x0a000000 + (i << 8));
    routes.push_back({.destination = Prefix(network, 24), .link_index = 2, .is_connected = true});
  }
  const LocalNetworks found = local_networks(routes, {}, kTun);
  EXPECT_EQ(found.outside.size(), kMaxLocalNetworks);
  EXPECT_EQ(found.omitted, 1000 - kMaxLocalNetworks);
}

TEST(LocalNetworks, KeepTheirPlacesInAFlood) {
  const Prefix mine = prefix("fd77::/64");
  std::vector routes = {connected("fd77::/64")};
  for (std::uint32_t i = 0; i < 100; ++i) {
    routes.push_back({.destination = Prefix(IpAddress::v4(0x0a000000 + (i << 8)), 24),
                      .link_index = 2,
                      .is_connected = true});
  }
  EXPECT_THAT(local_networks(routes, {}, kTun).outside, testing::Not(testing::Contains(mine)));
  EXPECT_THAT(local_networks(routes, {}, kTun, std::vector{mine}).outside, testing::Contains(mine));
}

}  // namespace
}  // namespace qdt::os
