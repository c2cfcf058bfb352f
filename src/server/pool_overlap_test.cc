#include "server/pool_overlap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::server {
namespace {

using os::TakenNetwork;
using testing::HasSubstr;

const Prefix kPool = *Prefix::parse("10.8.0.0/24");

TakenNetwork lan(const std::string& prefix, const std::string& address) {
  return {.device = "eth0",
          .prefix = *Prefix::parse(prefix),
          .address = *IpAddress::parse(address),
          .is_on_link = true};
}
TakenNetwork behind_a_router(const std::string& prefix) {
  return {.device = "eth1", .prefix = *Prefix::parse(prefix), .address = {}, .is_on_link = false};
}
std::string overlap(const TakenNetwork& network, bool is_routed_here = false) {
  return find_pool_overlap("pool_cidr", kPool, is_routed_here, {&network, 1}).value_or("");
}

TEST(PoolOverlap, NamesNetworkAndDeviceAndAnotherPool) {
  EXPECT_EQ(
      overlap(lan("10.8.0.0/24", "10.8.0.77")),
      "pool_cidr 10.8.0.0/24 overlaps a network of this host, 10.8.0.0/24 of eth0, where this "
      "host is 10.8.0.77: choose another pool_cidr, such as 10.9.0.0/24, or give that network "
      "other addresses");
}

TEST(PoolOverlap, IsFoundInWiderAndNarrowerNetworks) {
  EXPECT_THAT(overlap(lan("10.8.0.0/13", "10.9.9.9")), HasSubstr("10.8.0.0/13 of eth0"));
  EXPECT_THAT(overlap(lan("10.8.0.77/32", "10.8.0.77")), HasSubstr("10.8.0.77/32 of eth0"));
  EXPECT_THAT(overlap(behind_a_router("10.8.0.0/25")), HasSubstr("10.8.0.0/25 of eth1"));
  EXPECT_EQ(overlap(lan("10.9.0.0/24", "10.9.0.1")), "");
  EXPECT_EQ(overlap(lan("fd00:8::/64", "fd00:8::1")), "");
}

TEST(PoolOverlap, IsNoneWhereTheWiderNetworkRoutesThePoolHere) {
  EXPECT_THAT(overlap(behind_a_router("10.0.0.0/8")), HasSubstr("10.0.0.0/8 of eth1"));
  EXPECT_EQ(overlap(behind_a_router("10.0.0.0/8"), /*is_routed_here=*/true), "");
  EXPECT_NE(overlap(behind_a_router("10.8.0.0/24"), /*is_routed_here=*/true), "");
  EXPECT_NE(overlap(lan("10.0.0.0/8", "10.1.1.1"), /*is_routed_here=*/true), "");
}

TEST(PoolOverlap, SuggestsAPoolThatIsFree) {
  const std::vector<TakenNetwork> networks = {lan("10.8.0.0/15", "10.8.1.1"),
                                              behind_a_router("10.10.3.0/24")};
  EXPECT_THAT(find_pool_overlap("pool_cidr", kPool, false, networks).value_or(""),
              HasSubstr("such as 10.10.0.0/24,"));
  EXPECT_THAT(overlap(lan("10.0.0.0/8", "10.1.1.1")), testing::Not(HasSubstr("such as")));
}

}  // namespace
}  // namespace qdt::server
