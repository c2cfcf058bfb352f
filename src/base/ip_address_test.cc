#include "base/ip_address.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace qdt {
namespace {

TEST(IpAddress, ReadsAndWritesIpv4) {
  const auto address = IpAddress::parse("10.8.0.1");
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->is_v4());
  EXPECT_EQ(address->v4_number(), 0x0a080001u);
  EXPECT_EQ(address->to_string(), "10.8.0.1");
  EXPECT_EQ(*address, IpAddress::v4(0x0a080001));
}

TEST(IpAddress, RefusesWhatOnlySomeReadAsIpv4) {
  for (const char* text : {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.-4", "01.2.3.4",
                           " 1.2.3.4", "1.2.3.4 ", "1..2.3", "1.2.3.4.", "0x7f.0.0.1", "a.b.c.d"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, WritesIpv6AsRfc5952Recommends) {
  const std::pair<const char*, const char*> cases[] = {
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
  };
  for (const auto& [text, expected] : cases) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_TRUE(address->is_v6());
    EXPECT_EQ(address->to_string(), expected);
  }
}

TEST(IpAddress, RefusesBrokenIpv6) {
  for (const char* text : {":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
                           "12345::", "g::", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "::1.2.3", "[::1]",
                           "fe80::1%eth0", "1:2:3:4:5:6:7::8"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, TreatsMappedAddressesAsIpv4) {
  EXPECT_EQ(*IpAddress::parse("::ffff:1.2.3.4"), *IpAddress::parse("1.2.3.4"));
}

TEST(IpAddress, KnowsSpecialAddresses) {
  EXPECT_TRUE(IpAddress::parse("127.8.8.8")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("224.0.0.251")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_TRUE(IpAddress::parse("169.254.1.1")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("febf::1")->is_link_local());
  EXPECT_FALSE(IpAddress::parse("10.0.0.1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("fec0::1")->is_link_local());
}

TEST(IpAddress, HasAnUnspecifiedOneOfEachKind) {
  EXPECT_EQ(IpAddress::unspecified(/*is_v4=*/true).to_string(), "0.0.0.0");
  EXPECT_EQ(IpAddress::unspecified(/*is_v4=*/false).to_string(), "::");
}

TEST(Prefix, IsOfOneHost) {
  EXPECT_EQ(Prefix::of_host(*IpAddress::parse("10.8.0.2")).to_string(), "10.8.0.2/32");
  EXPECT_EQ(Prefix::of_host(*IpAddress::parse("fd00::2")).to_string(), "fd00::2/128");
}

TEST(Prefix, NumbersItsHosts) {
  EXPECT_EQ(Prefix::parse("10.8.0.0/16")->host(0x102).to_string(), "10.8.1.2");
  EXPECT_EQ(Prefix::parse("fd00:8::/64")->host(0x10002).to_string(), "fd00:8::1:2");
  EXPECT_EQ(Prefix::parse("fd00:8::ab00/120")->host(7).to_string(), "fd00:8::ab07");
}

TEST(Prefix, KnowsItsHostsNumbers) {
  const Prefix pool = *Prefix::parse("fd00:8::ab00/120");
  EXPECT_EQ(pool.number_of(*IpAddress::parse("fd00:8::ab07")), 7u);
  EXPECT_FALSE(pool.number_of(*IpAddress::parse("fd00:8::ac07")));
  EXPECT_FALSE(pool.number_of(*IpAddress::parse("10.8.0.7")));
  EXPECT_EQ(Prefix::parse("10.8.0.0/16")->number_of(*IpAddress::parse("10.8.1.2")), 0x102u);
  const Prefix wide = *Prefix::parse("fd00:8::/64");
  EXPECT_EQ(wide.number_of(*IpAddress::parse("fd00:8::ffff:ffff")), 0xffffffffu);
  EXPECT_FALSE(wide.number_of(*IpAddress::parse("fd00:8::1:0:0")));
}

TEST(IpAddress, HashesByValue) {
  const std::unordered_set<IpAddress> set = {*IpAddress::parse("10.0.0.1"),
                                             *IpAddress::parse("::1")};
  EXPECT_TRUE(set.contains(IpAddress::v4(0x0a000001)));
  EXPECT_FALSE(set.contains(IpAddress::v4(0x0a000002)));
}

TEST(Prefix, ContainsItsAddressesOnly) {
  const auto prefix = Prefix::parse("10.8.0.0/23");
  ASSERT_TRUE(prefix);
  EXPECT_TRUE(prefix->contains(*IpAddress::parse("10.8.1.255")));
  EXPECT_FALSE(prefix->contains(*IpAddress::parse("10.8.2.0")));
  EXPECT_FALSE(prefix->contains(*IpAddress::parse("::1")));
  EXPECT_TRUE(Prefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("255.255.255.255")));
  EXPECT_TRUE(Prefix::parse("fd00::/8")->contains(*IpAddress::parse("fdff::1")));
}

TEST(Prefix, ContainsNarrowerPrefixes) {
  EXPECT_TRUE(Prefix::parse("10.0.0.0/8")->contains(*Prefix::parse("10.8.0.0/24")));
  EXPECT_FALSE(Prefix::parse("10.8.0.0/24")->contains(*Prefix::parse("10.0.0.0/8")));
}

TEST(Prefix, RefusesHostBitsOrClearsThem) {
  const auto refused = Prefix::parse("10.8.0.1/24");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("10.8.0.0/24 was probably meant"), std::string::npos);
  EXPECT_EQ(Prefix::parse("10.8.0.1/24", Prefix::HostBits::kCleared)->to_string(), "10.8.0.0/24");
}

TEST(Prefix, RefusesNonsense) {
  for (const char* text :
       {"10.8.0.0", "10.8.0.0/", "10.8.0.0/33", "10.8.0.0/-1", "x/8", "::/129"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(SocketAddress, ReadsEveryFormOfAnAddr) {
  EXPECT_EQ(SocketAddress::parse(":443")->to_string(), "[::]:443");
  EXPECT_EQ(SocketAddress::parse("1.2.3.4:443")->to_string(), "1.2.3.4:443");
  EXPECT_EQ(SocketAddress::parse("[::1]:8443")->to_string(), "[::1]:8443");
  for (const char* text : {"443", "1.2.3.4", "::1:443x", "[::1]", "[1.2.3.4]:443", "1.2.3.4:65536",
                           "host:443", "::1:443", ":"}) {
    EXPECT_FALSE(SocketAddress::parse(text)) << text;
  }
}

}  // namespace
}  // namespace qdt
