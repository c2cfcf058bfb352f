#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/windows/network_model_fixture.h"

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RoamingTest : public NetworkModelTest {
 protected:
  Interface& find(InterfaceId id) {
    return *std::ranges::find(model_.host.interfaces, id, &Interface::id);
  }
  void plug(bool is_up) {
    find(NetworkModel::kEthernet).is_up = is_up;
    if (is_up) return;
    // Windows drops what went through it.
    std::erase_if(model_.host.routes,
                  [](const WindowsRoute& route) { return route.link == NetworkModel::kEthernet; });
  }
  void join_radio(std::uint32_t metric) {
    find(NetworkModel::kRadio).is_up = true;
    model_.host.addresses.push_back({NetworkModel::kRadio, ip("172.16.0.7"), 24});
    model_.host.routes.push_back({net("0.0.0.0/0"), NetworkModel::kRadio, ip("172.16.0.1"), 0});
    model_.host.settings[{NetworkModel::kRadio, IpFamily::kV4}].metric = metric;
  }
};

TEST_F(RoamingTest, FollowsTheDefaultRouteToAnotherNetwork) {
  ASSERT_TRUE(everything());
  take_changes();
  plug(false);
  join_radio(50);
  network().keep();
  EXPECT_THAT(take_changes(),
              ElementsAre("add route 203.0.113.5/32 on 12 by 172.16.0.1 metric 20804"));
  network().keep();
  EXPECT_THAT(take_changes(), IsEmpty());
}

TEST_F(RoamingTest, FollowsTheBetterOfTwoNetworks) {
  ASSERT_TRUE(everything());
  take_changes();
  join_radio(50);  // the Ethernet has 25
  network().keep();
  EXPECT_THAT(take_changes(), IsEmpty());
  model_.host.settings[{NetworkModel::kRadio, IpFamily::kV4}].metric = 10;
  network().keep();
  EXPECT_THAT(take_changes(),
              ElementsAre("add route 203.0.113.5/32 on 12 by 172.16.0.1 metric 20804",
                          "remove route 203.0.113.5/32 on 11 by 192.168.1.1 metric 20804"));
}

TEST_F(RoamingTest, WaitsForANetworkWithoutOne) {
  ASSERT_TRUE(everything());
  take_changes();
  plug(false);
  network().keep();
  network().keep();
  EXPECT_THAT(take_changes(), IsEmpty());
  join_radio(50);
  network().keep();
  EXPECT_THAT(take_changes(),
              ElementsAre("add route 203.0.113.5/32 on 12 by 172.16.0.1 metric 20804"));
  close();
  EXPECT_FALSE(std::ranges::any_of(model_.host.routes, is_pin));
}

TEST_F(RoamingTest, KeepsTheOldWayWhileTheNewOneCannotBeHad) {
  ASSERT_TRUE(everything());
  join_radio(10);
  take_changes();
  for (int call = 1; call <= 20; ++call) {
    model_.calls = 0;
    model_.failing_call = call;
    network().keep();
    EXPECT_TRUE(std::ranges::any_of(model_.host.routes, is_pin)) << "call " << call;
  }
  model_.failing_call = 0;
  network().keep();
  close();
  EXPECT_FALSE(std::ranges::any_of(model_.host.routes, is_pin));
  EXPECT_EQ(journal_text_, "");
}

TEST_F(RoamingTest, LetsLocalIpv6PassWhereTheTunnelHasNone) {
  ASSERT_TRUE(network().configure_tun(ip("10.8.0.2"), 32, 1400));
  ASSERT_TRUE(network().route_everything_through_tunnel());
  const auto passes = [&](std::string_view prefix) {
    return std::ranges::any_of(model_.host.filters[1], [&](const Filter& filter) {
      const FilterCondition wanted = RemotePrefix{net(prefix)};
      return filter.is_permit &&
             std::ranges::find(filter.conditions, wanted) != filter.conditions.end();
    });
  };
  EXPECT_TRUE(passes("2001:db8:1::/64"));
  EXPECT_FALSE(passes("::/0"));
  model_.host.routes.push_back({net("fd12::/64"), NetworkModel::kEthernet, ip("::"), 256});
  network().keep();
  EXPECT_TRUE(passes("fd12::/64"));
}

}  // namespace
}  // namespace qdt::os
