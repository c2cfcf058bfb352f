#include "os/windows/outside.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/windows/network_model.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

class OutsideTest : public testing::Test {
 protected:
  std::optional<WindowsRoute> pin(std::string_view prefix) {
    return pinned_route(*look_around(*calls_), net(prefix));
  }
  void add(std::string_view prefix, InterfaceId link, std::string_view next_hop,
           std::uint32_t metric) {
    model_.host.routes.push_back({net(prefix), link, ip(next_hop), metric});
  }

  NetworkModel model_ = NetworkModel::with_network();
  std::unique_ptr<NetworkCalls> calls_ = model_.open();
};

TEST_F(OutsideTest, FindsTheDefaultRouteBehindTheTunnel) {
  add("0.0.0.0/1", NetworkModel::kTun, "0.0.0.0", 0);
  add("203.0.113.5/32", NetworkModel::kEthernet, "192.168.1.77", kPinMetric);
  const auto way = way_outside(*calls_, ip("203.0.113.5"));
  ASSERT_TRUE(way);
  EXPECT_EQ(way->link, NetworkModel::kEthernet);
  EXPECT_EQ(way->interface_index, 3u);
  EXPECT_EQ(way->source, ip("192.168.1.20"));
}

TEST_F(OutsideTest, FollowsANarrowerRouteThanTheDefault) {
  model_.host.interfaces[2].is_up = true;
  add("203.0.113.0/24", NetworkModel::kRadio, "172.16.0.1", 500);
  EXPECT_EQ(pin("203.0.113.5/32"), std::nullopt);  // it is narrower than the tunnel's, too
  model_.host.addresses.push_back({NetworkModel::kRadio, ip("172.16.0.7"), 24});
  EXPECT_EQ(way_outside(*calls_, ip("203.0.113.5"))->source, ip("172.16.0.7"));
}

TEST_F(OutsideTest, AddsTheMetricOfInterfaceAndRoute) {
  model_.host.interfaces[2].is_up = true;
  model_.host.settings[{NetworkModel::kRadio, IpFamily::kV4}].metric = 10;
  add("0.0.0.0/0", NetworkModel::kRadio, "172.16.0.1", 10);  // 20 in all, the Ethernet 25
  EXPECT_EQ(pin("203.0.113.5/32")->next_hop, ip("172.16.0.1"));
  model_.host.routes.back().metric = 20;
  EXPECT_EQ(pin("203.0.113.5/32")->next_hop, ip("192.168.1.1"));
}

TEST_F(OutsideTest, TakesNoNetworkThatIsDown) {
  add("0.0.0.0/0", NetworkModel::kRadio, "172.16.0.1", 0);
  model_.host.settings[{NetworkModel::kRadio, IpFamily::kV4}].metric = 1;
  EXPECT_EQ(pin("203.0.113.5/32")->next_hop, ip("192.168.1.1"));
}

TEST_F(OutsideTest, PinsARangeByTheRouteThatCoversAllOfIt) {
  // 192.168.0.0 has no route of its own, although part of the range has.
  const WindowsRoute expected{net("192.168.0.0/16"), NetworkModel::kEthernet, ip("192.168.1.1"),
                              kPinMetric};
  EXPECT_EQ(pin("192.168.0.0/16"), expected);
  EXPECT_EQ(pin("192.168.1.0/24"), std::nullopt);
}

TEST_F(OutsideTest, SaysWhenThereIsNoNetwork) {
  model_.host.routes.clear();
  const auto v4 = way_outside(*calls_, ip("203.0.113.5"));
  ASSERT_FALSE(v4);
  EXPECT_THAT(v4.error().message, HasSubstr("has no route to it; is it connected to a network?"));
  const auto v6 = way_outside(*calls_, ip("2001:db8::5"));
  ASSERT_FALSE(v6);
  EXPECT_THAT(v6.error().message, HasSubstr("and perhaps no IPv6 at all"));
}

TEST_F(OutsideTest, LooksTheSameWhenOnlyTheTunnelChanges) {
  const auto before = look_around(*calls_);
  model_.host.addresses.push_back({NetworkModel::kTun, ip("10.8.0.2"), 32});
  add("0.0.0.0/1", NetworkModel::kTun, "0.0.0.0", 0);
  add("203.0.113.5/32", NetworkModel::kEthernet, "192.168.1.1", kPinMetric);
  std::ranges::reverse(model_.host.routes);
  EXPECT_EQ(*look_around(*calls_), *before);
  model_.host.addresses.push_back(
      {NetworkModel::kEthernet, ip("192.168.1.99"), 24, /*is_usable=*/false});
  EXPECT_EQ(*look_around(*calls_), *before);
  model_.host.addresses.back().is_usable = true;
  EXPECT_NE(*look_around(*calls_), *before);
}

}  // namespace
}  // namespace qdt::os
