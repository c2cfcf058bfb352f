#include "wire/ip_ranges.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qdt::wire {
namespace {

using Texts = std::vector<std::string>;

std::string text_of(const IpRange& range) {
  return range.first.to_string() + "-" + range.last.to_string();
}

Texts ranges(const Texts& prefixes) {
  std::vector<Prefix> parsed;
  for (const std::string& text : prefixes) parsed.push_back(*Prefix::parse(text));
  Texts texts;
  for (const IpRange& range : ranges_of(parsed)) texts.push_back(text_of(range));
  return texts;
}

Texts prefixes(std::string_view first, std::string_view last) {
  Texts texts;
  for (const Prefix& prefix :
       prefixes_of({.first = *IpAddress::parse(first), .last = *IpAddress::parse(last)})) {
    texts.push_back(prefix.to_string());
  }
  return texts;
}

constexpr std::string_view kLastV6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

TEST(IpRanges, AreSortedAndJoined) {
  EXPECT_EQ(ranges({}), Texts());
  EXPECT_EQ(ranges({"fd00::/16", "192.168.7.0/24", "10.0.0.0/8"}),
            (Texts{"10.0.0.0-10.255.255.255", "192.168.7.0-192.168.7.255",
                   "fd00::-fd00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}));
  EXPECT_EQ(ranges({"10.0.1.0/24", "10.0.0.0/24"}), Texts{"10.0.0.0-10.0.1.255"});
  EXPECT_EQ(ranges({"10.0.0.7/32", "10.0.0.0/24", "10.0.0.0/25"}), Texts{"10.0.0.0-10.0.0.255"});
  EXPECT_EQ(ranges({"0.0.0.0/0", "255.255.255.255/32", "1.0.0.0/8"}),
            Texts{"0.0.0.0-255.255.255.255"});
  EXPECT_EQ(ranges({"::/0", "ffff::/16", "0.0.0.0/1", "128.0.0.0/1"}),
            (Texts{"0.0.0.0-255.255.255.255", "::-" + std::string(kLastV6)}));
  EXPECT_EQ(ranges({"2001:db8:0:1::/64", "2001:db8::/64", "2001:db8:0:3::/64"}),
            (Texts{"2001:db8::-2001:db8:0:1:ffff:ffff:ffff:ffff",
                   "2001:db8:0:3::-2001:db8:0:3:ffff:ffff:ffff:ffff"}));
}

TEST(IpRanges, AreWhatACapsuleMayHave) {
  const std::vector<Prefix> all = {*Prefix::parse("::/0"), *Prefix::parse("10.0.0.0/8"),
                                   *Prefix::parse("10.0.0.0/16"), *Prefix::parse("9.0.0.0/8")};
  const auto ranges = ranges_of(all);
  EXPECT_EQ(parse_route_advertisement(write_routes(ranges)), ranges);
}

TEST(IpRanges, DoNotEndInMappedAddresses) {
  EXPECT_EQ(ranges({"::fffe:0:0/95", "::1/128"}),
            (Texts{"::1-::1", "::fffe:0:0-::fffe:ffff:ffff"}));
  EXPECT_EQ(ranges({"::fffe:0:0/95", "::1:0:0:0/80"}), Texts{"::fffe:0:0-::1:ffff:ffff:ffff"});
}

TEST(PrefixesOf, AreTheFewestOfARange) {
  EXPECT_EQ(prefixes("0.0.0.0", "255.255.255.255"), Texts{"0.0.0.0/0"});
  EXPECT_EQ(prefixes("::", kLastV6), Texts{"::/0"});
  EXPECT_EQ(prefixes("10.8.0.2", "10.8.0.2"), Texts{"10.8.0.2/32"});
  EXPECT_EQ(prefixes("10.0.0.1", "10.0.0.6"),
            (Texts{"10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"}));
  EXPECT_EQ(
      prefixes("11.0.0.0", "255.255.255.255"),
      (Texts{"11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/1"}));
  EXPECT_EQ(prefixes("255.255.255.255", "255.255.255.255"), Texts{"255.255.255.255/32"});
  EXPECT_EQ(prefixes("fd00::", "fd00::1:ffff"), Texts{"fd00::/111"});
  EXPECT_EQ(prefixes("2001:db8:0:0:ffff:ffff:ffff:ffff", "2001:db8:0:1::"),
            (Texts{"2001:db8::ffff:ffff:ffff:ffff/128", "2001:db8:0:1::/128"}));
}

TEST(PrefixesOf, AreBounded) {
  EXPECT_EQ(prefixes("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").size(), 254u);
  EXPECT_EQ(prefixes("0.0.0.1", "255.255.255.254").size(), 62u);
}

TEST(PrefixesOf, LeaveMappedAddressesOut) {
  EXPECT_EQ(prefixes("::fffe:8000:0", "::1:0:0:0"), (Texts{"::fffe:8000:0/97", "::1:0:0:0/128"}));
}

TEST(PrefixesOf, MakeTheRangeAgain) {
  const IpRange ranges[] = {{*IpAddress::parse("10.0.0.3"), *IpAddress::parse("172.16.5.9")},
                            {*IpAddress::parse("2001:db8::3"), *IpAddress::parse("2001:db9::17")}};
  for (const IpRange& range : ranges) {
    EXPECT_EQ(ranges_of(prefixes_of(range)), std::vector{range}) << text_of(range);
  }
}

}  // namespace
}  // namespace qdt::wire
