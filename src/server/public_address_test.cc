#include "server/public_address.h"

#include <gtest/gtest.h>

#include <vector>

namespace qdt::server {
namespace {

std::optional<IpAddress> found(std::initializer_list<const char*> texts) {
  std::vector<IpAddress> addresses;
  for (const char* text : texts) addresses.push_back(*IpAddress::parse(text));
  return public_address(addresses);
}

TEST(PublicAddress, IsNoneBehindNat) {
  EXPECT_FALSE(found({}));
  EXPECT_FALSE(found({"10.0.0.5", "172.31.255.1", "192.168.1.2", "100.64.0.1", "169.254.3.4"}));
  EXPECT_FALSE(found({"fd00::1", "fe80::1", "::1"}));
}

TEST(PublicAddress, IsTheFirstThatOthersCanReach) {
  EXPECT_EQ(found({"10.0.0.5", "203.0.113.2", "192.0.2.1"}), IpAddress::parse("203.0.113.2"));
  EXPECT_EQ(found({"172.32.0.1"}), IpAddress::parse("172.32.0.1"));
  EXPECT_EQ(found({"100.128.0.1"}), IpAddress::parse("100.128.0.1"));
}

TEST(PublicAddress, IsIpv4BeforeIpv6) {
  EXPECT_EQ(found({"2001:db8::1", "203.0.113.2"}), IpAddress::parse("203.0.113.2"));
  EXPECT_EQ(found({"2001:db8::1", "10.0.0.5"}), IpAddress::parse("2001:db8::1"));
}

}  // namespace
}  // namespace qdt::server
