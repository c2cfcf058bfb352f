#include "server/lease_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace qdt::server {
namespace {

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}
Prefix prefix(const char* text) {
  return *Prefix::parse(text);
}

TEST(LeasePool, SkipsNetworkBroadcastAndGateway) {
  LeasePool pool(prefix("10.8.0.0/29"), address("10.8.0.1"), 1);
  std::set<std::string> lent;
  while (const auto lease = pool.acquire(0)) lent.insert(lease->to_string());
  EXPECT_EQ(lent,
            (std::set<std::string>{"10.8.0.2", "10.8.0.3", "10.8.0.4", "10.8.0.5", "10.8.0.6"}));
  EXPECT_EQ(pool.capacity(), 5u);
  EXPECT_EQ(pool.lent(), 5u);
}

TEST(LeasePool, LendsAgainWhatCameBack) {
  LeasePool pool(prefix("10.8.0.0/30"), address("10.8.0.1"), 1);
  const auto lease = pool.acquire(0);
  ASSERT_TRUE(lease);
  EXPECT_FALSE(pool.acquire(0));
  pool.release(*lease);
  EXPECT_EQ(pool.acquire(0), lease);
}

TEST(LeasePool, LendsFreshAddressesBeforeUsedOnes) {
  LeasePool pool(prefix("10.8.0.0/29"), address("10.8.0.1"), 1);
  const auto first = pool.acquire(0);
  pool.release(*first);
  EXPECT_EQ(pool.acquire(0)->to_string(), "10.8.0.3");
}

TEST(LeasePool, PrefersAddressesThatSteerToTheShard) {
  LeasePool pool(prefix("10.8.0.0/24"), address("10.8.0.1"), 4);
  for (std::size_t shard = 0; shard < 4; ++shard) {
    for (int i = 0; i < 20; ++i) {
      const auto lease = pool.acquire(shard);
      ASSERT_TRUE(lease);
      EXPECT_EQ(lease->v4_number() % 4, shard);
      EXPECT_EQ(pool.owner(*lease), shard);
    }
  }
}

TEST(LeasePool, LendsAnotherShardsAddressWhenItsOwnAreGone) {
  LeasePool pool(prefix("10.8.0.0/28"), address("10.8.0.1"), 4);
  std::size_t count = 0;
  while (const auto lease = pool.acquire(2)) {
    EXPECT_EQ(pool.owner(*lease), 2u);
    ++count;
  }
  EXPECT_EQ(count, pool.capacity());
}

TEST(LeasePool, KnowsNoOwnerOfWhatIsNotLent) {
  LeasePool pool(prefix("10.8.0.0/24"), address("10.8.0.1"), 1);
  for (const char* text :
       {"10.8.0.0", "10.8.0.1", "10.8.0.9", "10.8.0.255", "10.8.1.0", "9.9.9.9", "::1"}) {
    EXPECT_FALSE(pool.owner(address(text))) << text;
  }
}

TEST(LeasePool, LendsNobodyAFixedAddress) {
  LeasePool pool(*Prefix::parse("10.8.0.0/29"), *IpAddress::parse("10.8.0.1"), 1);
  const auto fixed = *IpAddress::parse("10.8.0.3");
  EXPECT_TRUE(pool.lends(fixed));
  EXPECT_FALSE(pool.lends(*IpAddress::parse("10.8.0.1")));
  EXPECT_FALSE(pool.lends(*IpAddress::parse("10.8.0.8")));
  pool.fix(std::array{fixed});
  for (int i = 0; i < 4; ++i) EXPECT_NE(*pool.acquire(0), fixed);
  EXPECT_FALSE(pool.acquire(0));
  EXPECT_FALSE(pool.owner(fixed));
  pool.give(fixed, 0);
  EXPECT_EQ(pool.owner(fixed), 0u);
  EXPECT_EQ(pool.lent(), 5u);
  pool.release(fixed);
  EXPECT_FALSE(pool.acquire(0)) << "it is fixed still";
  pool.fix({});
  EXPECT_EQ(pool.acquire(0), fixed);
}

TEST(LeasePool, LendsAnIpv6AddressWithEach) {
  LeasePool pool(prefix("10.8.0.0/29"), address("10.8.0.1"), 1,
                 Ipv6Pool{prefix("fd00:8::8/125"), address("fd00:8::9")});
  const auto lease = pool.acquire(0);
  EXPECT_EQ(pool.ipv6_of(*lease)->to_string(), "fd00:8::a");
  EXPECT_EQ(pool.owner(address("fd00:8::a")), 0u);
  for (const char* text : {"fd00:8::9", "fd00:8::b", "fd00:8::1a", "fd00:9::a"}) {
    EXPECT_FALSE(pool.owner(address(text))) << text;
  }
  pool.release(*lease);
  EXPECT_FALSE(pool.owner(address("fd00:8::a")));
}

TEST(LeasePool, LendsNobodyTheAddressBesideTheIpv6Gateways) {
  LeasePool pool(prefix("10.8.0.0/29"), address("10.8.0.1"), 1,
                 Ipv6Pool{prefix("fd00:8::/64"), address("fd00:8::2")});
  EXPECT_EQ(pool.capacity(), 4u);
  EXPECT_EQ(pool.acquire(0)->to_string(), "10.8.0.3");
  LeasePool far(prefix("10.8.0.0/29"), address("10.8.0.1"), 1,
                Ipv6Pool{prefix("fd00:8::/64"), address("fd00:8::1:0:2")});
  EXPECT_EQ(far.capacity(), 5u);
}

TEST(LeasePool, KnowsHowIpv6LeasesSteer) {
  LeasePool pool(prefix("10.8.0.0/24"), address("10.8.0.1"), 5,
                 Ipv6Pool{prefix("fd00:8::ab00/120"), address("fd00:8::ab01")});
  const auto lease = pool.acquire(3);
  const IpAddress ipv6 = *pool.ipv6_of(*lease);
  const auto end = load_be<std::uint32_t>(ipv6.bytes().last(4).data());
  EXPECT_EQ(end + pool.ipv6_difference(), lease->v4_number());
  EXPECT_EQ(LeasePool(prefix("10.8.0.0/24"), address("10.8.0.1"), 5).ipv6_difference(), 0u);
}

TEST(LeasePool, TakesAGatewayAtEitherEnd) {
  LeasePool last(prefix("10.8.0.0/29"), address("10.8.0.6"), 1);
  EXPECT_EQ(last.acquire(0)->to_string(), "10.8.0.1");
  EXPECT_EQ(last.capacity(), 5u);
}

}  // namespace
}  // namespace qdt::server
