#include "os/taken_networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

std::vector<std::string> described() {
  std::vector<std::string> lines;
  const auto networks = taken_networks("qdt0");
  for (const TakenNetwork& network : networks.value_or(std::vector<TakenNetwork>())) {
    lines.push_back(network.describe() + (network.is_on_link ? "" : ", behind a router"));
  }
  return lines;
}

TEST(TakenNetworks, AreThoseOfOtherDevices) {
  in_fresh_network([] {
    TestTun up{"up0"};
    TestTun tun{"qdt0"};
    ASSERT_EQ(shell("ip link set up0 up && ip link set qdt0 up && "
                    "ip address add 10.8.0.77/24 dev up0 && ip address add 10.9.0.1/24 dev qdt0 && "
                    "ip address add fd00:8::7/64 dev up0 nodad"),
              "");
    EXPECT_THAT(described(),
                testing::IsSupersetOf({"10.8.0.0/24 of up0, where this host is 10.8.0.77",
                                       "fd00:8::/64 of up0, where this host is fd00:8::7"}));
    EXPECT_THAT(described(), testing::Not(testing::Contains(testing::HasSubstr("qdt0"))));
  });
}

TEST(TakenNetworks, AreKnownByRoutesButTheWidest) {
  in_fresh_network([] {
    TestTun up{"up0"};
    ASSERT_EQ(shell("ip link set up0 up && ip address add 192.0.2.2/32 dev up0 && "
                    "ip route add 192.0.2.1 dev up0 && ip route add default via 192.0.2.1 && "
                    "ip route add 128.0.0.0/1 via 192.0.2.1 && "
                    "ip route add 172.16.0.0/12 via 192.0.2.1 && ip route add 10.1.0.0/16 dev up0"),
              "");
    EXPECT_THAT(described(),
                testing::UnorderedElementsAre("192.0.2.2/32 of up0, where this host is 192.0.2.2",
                                              "192.0.2.1/32 of up0", "10.1.0.0/16 of up0",
                                              "172.16.0.0/12 of up0, behind a router"));
  });
}

}  // namespace
}  // namespace qdt::os
