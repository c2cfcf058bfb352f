#include "users/addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace qdt::users {
namespace {

using ::testing::HasSubstr;

const Addresses kAddresses{.pool = *Prefix::parse("10.8.0.0/24"),
                           .gateway = *IpAddress::parse("10.8.0.1"),
                           .pool6 = *Prefix::parse("fd00::/64"),
                           .gateway6 = *IpAddress::parse("fd00::9")};

TEST(Addresses, TakesAnAddressOfThePool) {
  EXPECT_EQ(parse_address("address", "10.8.0.50", kAddresses), *IpAddress::parse("10.8.0.50"));
  EXPECT_EQ(parse_address("address", "fd00::32", kAddresses), *IpAddress::parse("10.8.0.50"));
}

TEST(Addresses, RefusesAllOthers) {
  const auto refuses = [](const char* text, const char* why, const Addresses& addresses) {
    const auto address = parse_address("address", text, addresses);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().message, HasSubstr(why));
  };
  refuses("ten", "it is no address", kAddresses);
  refuses("10.8.1.50", "not in the pool, 10.8.0.0/24", kAddresses);
  refuses("10.8.0.1", "the server's own", kAddresses);
  refuses("10.8.0.9", "the server's own", kAddresses);
  refuses("fd00::9", "the server's own", kAddresses);
  refuses("10.8.0.0", "first or last", kAddresses);
  refuses("10.8.0.255", "first or last", kAddresses);
  refuses("fd01::2", "not in the pool, fd00::/64", kAddresses);
  refuses("fd00::1:2", "beyond the 256 addresses", kAddresses);
  Addresses without = kAddresses;
  without.pool6.reset();
  refuses("fd00::2", "no IPv6 in the tunnel", without);
}

}  // namespace
}  // namespace qdt::users
