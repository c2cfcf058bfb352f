#include "client/overlap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::client {
namespace {

using os::TakenNetwork;
using testing::HasSubstr;

TakenNetwork lan(const std::string& prefix, const std::string& address) {
  return {.device = "eth0",
          .prefix = *Prefix::parse(prefix),
          .address = *IpAddress::parse(address),
          .is_on_link = true};
}

class OverlapTest : public testing::Test {
 protected:
  OverlapTest() {
    response.client_ip = *IpAddress::parse("10.8.0.2");
    response.cidr = *Prefix::parse("10.8.0.0/24");
  }
  std::string taken(const std::string& route, const TakenNetwork& network) const {
    const Prefix into_tunnel = *Prefix::parse(route);
    return find_taken_network(response, {&into_tunnel, 1}, {&network, 1}).value_or("");
  }
  std::string hidden(const TakenNetwork& network) const {
    return find_hidden_pool(response, response.dns, {&network, 1}).value_or("");
  }

  wire::ConnectResponse response;
};

TEST_F(OverlapTest, FindsALeaseThatIsAnAddressOfThisHost) {
  const std::vector<TakenNetwork> networks = {lan("192.0.2.0/24", "192.0.2.1"),
                                              lan("10.8.0.0/24", "10.8.0.2")};
  EXPECT_EQ(find_own_lease(response, networks),
            "the server lends 10.8.0.2, which is this host's own address on eth0");
  const TakenNetwork neighbour = lan("10.8.0.0/24", "10.8.0.77");
  EXPECT_FALSE(find_own_lease(response, {&neighbour, 1}));
}

TEST_F(OverlapTest, FindsAnIpv6Lease) {
  response.ipv6 = {.client_ip = *IpAddress::parse("fd00:8::2"),
                   .gateway_ip = *IpAddress::parse("fd00:8::1"),
                   .cidr = *Prefix::parse("fd00:8::/64")};
  const TakenNetwork own = lan("fd00:8::/64", "fd00:8::2");
  EXPECT_THAT(find_own_lease(response, {&own, 1}).value_or(""), HasSubstr("lends fd00:8::2"));
  EXPECT_THAT(hidden(own), HasSubstr("pool fd00:8::/64"));
}

TEST_F(OverlapTest, FindsANetworkThatThePoolWouldTake) {
  EXPECT_EQ(taken("10.8.0.0/24", lan("10.8.0.0/24", "10.8.0.77")),
            "the server's pool 10.8.0.0/24 overlaps a network of this host, 10.8.0.0/24 of eth0, "
            "where this host is 10.8.0.77: change pool_cidr at the server or the addresses of that "
            "network, or keep it outside with exclude: [10.8.0.0/24]");
  EXPECT_NE(taken("10.8.0.0/24", lan("10.0.0.0/8", "10.1.1.1")), "");
  EXPECT_NE(taken("10.8.0.0/24", lan("10.8.0.0/30", "10.8.0.1")), "");
  EXPECT_EQ(taken("10.8.0.0/24", lan("10.9.0.0/24", "10.9.0.1")), "");
}

TEST_F(OverlapTest, LeavesAloneWhatTheUserRoutesOrExcludes) {
  EXPECT_EQ(taken("10.0.0.0/8", lan("10.8.0.0/24", "10.8.0.77")), "");
  EXPECT_EQ(taken("10.8.0.0/25", lan("10.8.0.128/25", "10.8.0.177")), "");
}

TEST_F(OverlapTest, TakesNoRouteBehindARouterForANetworkOfThisHost) {
  const TakenNetwork far{.device = "eth0", .prefix = *Prefix::parse("10.0.0.0/8")};
  EXPECT_EQ(taken("10.8.0.0/24", far), "");
  EXPECT_EQ(hidden(far), "");
}

TEST_F(OverlapTest, TellsWhatTheTunnelDoesNotReach) {
  response.dns = {*IpAddress::parse("10.8.0.1"), *IpAddress::parse("1.1.1.1")};
  const std::string words = hidden(lan("10.8.0.0/24", "10.8.0.77"));
  EXPECT_THAT(words, HasSubstr("10.8.0.0/24 of eth0, where this host is 10.8.0.77"));
  EXPECT_THAT(words, HasSubstr("reaches nobody in it, but for the name server 10.8.0.1;"));
  EXPECT_EQ(hidden(lan("192.168.1.0/24", "192.168.1.2")), "");
  EXPECT_THAT(hidden(lan("10.0.0.0/8", "10.1.2.3")), HasSubstr("through the tunnel alone"));
}

TEST_F(OverlapTest, LeavesThePoolToALanThatIsInIt) {
  const auto pools = [&](const TakenNetwork& network) {
    return find_reachable_pools(response, {&network, 1}).size();
  };
  EXPECT_EQ(pools(lan("10.8.0.0/24", "10.8.0.77")), 0u);
  EXPECT_EQ(pools(lan("10.8.0.128/25", "10.8.0.177")), 0u);
  EXPECT_EQ(pools(lan("10.0.0.0/8", "10.1.2.3")), 1u);
  EXPECT_EQ(pools(lan("192.168.1.0/24", "192.168.1.2")), 1u);
}

}  // namespace
}  // namespace qdt::client
