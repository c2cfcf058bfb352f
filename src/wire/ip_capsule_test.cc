#include "wire/ip_capsule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qdt::wire {
namespace {

using Octets = std::vector<std::uint8_t>;

IpAddress ip(std::string_view text) {
  return *IpAddress::parse(text);
}

IpRange range(std::string_view first, std::string_view last, std::uint8_t protocol = 0) {
  return {.first = ip(first), .last = ip(last), .protocol = protocol};
}

std::string why_refused(const auto& result) {
  return result ? "not refused" : result.error().message;
}

Octets concat(std::initializer_list<Octets> parts) {
  Octets all;
  for (const Octets& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const Octets kV6Zeros(16);

TEST(AddressAssign, ReadsAddressesOfBothKinds) {
  const Octets value = {0x00, 4,    10, 8,    0,    2,    32,                //
                        0x40, 0x07, 6,  0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,  //
                        0,    0,    0,  0,    0,    0,    0,    0, 64};
  const auto addresses = parse_address_assign(value);
  ASSERT_TRUE(addresses) << why_refused(addresses);
  EXPECT_EQ(*addresses, (std::vector<CapsuleAddress>{{0, Prefix(ip("10.8.0.2"), 32)},
                                                     {7, Prefix(ip("2001:db8::"), 64)}}));
}

TEST(AddressAssign, MayBeEmpty) {
  const auto addresses = parse_address_assign({});
  ASSERT_TRUE(addresses);
  EXPECT_TRUE(addresses->empty());
}

TEST(AddressAssign, TellsARequestThatGotNothing) {
  const auto addresses = parse_address_assign(
      concat({{1, 4, 0, 0, 0, 0, 32}, {2, 6}, kV6Zeros, {128}, {3, 4, 0, 0, 0, 0, 0}}));
  ASSERT_TRUE(addresses) << why_refused(addresses);
  EXPECT_TRUE((*addresses)[0].is_unspecified_host());
  EXPECT_TRUE((*addresses)[1].is_unspecified_host());
  EXPECT_FALSE((*addresses)[2].is_unspecified_host());
}

TEST(AddressAssign, RefusesAnEntryThatIsCutAnywhere) {
  const Octets value = {0x40, 1, 4, 10, 8, 0, 2, 32};
  for (std::size_t bytes = 1; bytes < value.size(); ++bytes) {
    EXPECT_EQ(why_refused(parse_address_assign(Bytes(value).first(bytes))),
              "the peer's capsule has an entry that is cut short")
        << bytes;
  }
}

TEST(AddressAssign, RefusesValuesThatCannotBe) {
  const std::pair<Octets, std::string> cases[] = {
      {{0, 5, 10, 8, 0, 2, 32}, "IP version 5"},
      {{0, 0, 10, 8, 0, 2, 32}, "IP version 0"},
      {{0, 4, 10, 8, 0, 2, 33}, "a prefix length of 33"},
      {{0, 4, 10, 8, 0, 2, 255}, "a prefix length of 255"},
      {concat({{0, 6}, kV6Zeros, {129}}), "a prefix length of 129"},
      {{0, 4, 10, 8, 0, 2, 24}, "host bits in 10.8.0.2/24"},
      {{0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 8, 0, 2, 128},
       "an IPv4-mapped address"},
      {{0, 4, 10, 8, 0, 2, 32, 0}, "an entry that is cut short"},
  };
  for (const auto& [value, reason] : cases) {
    EXPECT_EQ(why_refused(parse_address_assign(value)), "the peer's capsule has " + reason);
  }
}

TEST(AddressRequest, ReadsRequestsWithAndWithoutAWish) {
  const auto requests = parse_address_request(Octets{1, 4, 0, 0, 0, 0, 32, 2, 4, 10, 0, 0, 1, 32});
  ASSERT_TRUE(requests) << why_refused(requests);
  EXPECT_TRUE((*requests)[0].is_unspecified_host());
  EXPECT_EQ((*requests)[1], (CapsuleAddress{2, Prefix(ip("10.0.0.1"), 32)}));
}

TEST(AddressRequest, RefusesNoneAndIdsThatNameNothing) {
  EXPECT_EQ(why_refused(parse_address_request({})), "the peer's capsule has no address to ask for");
  EXPECT_EQ(why_refused(parse_address_request(Octets{0, 4, 0, 0, 0, 0, 32})),
            "the peer's capsule has a request with ID 0");
  EXPECT_EQ(why_refused(parse_address_request(Octets{3, 4, 0, 0, 0, 0, 32,  //
                                                     1, 4, 0, 0, 0, 0, 32,  //
                                                     3, 4, 0, 0, 0, 0, 32})),
            "the peer's capsule has two requests with one ID");
}

TEST(RouteAdvertisement, ReadsRangesInOrder) {
  const Octets value = concat({{4, 0, 0, 0, 0, 9, 255, 255, 255, 0},
                               {4, 11, 0, 0, 0, 255, 255, 255, 255, 0},
                               {4, 10, 0, 0, 0, 10, 0, 0, 0, 6},
                               {6},
                               kV6Zeros,
                               Octets(16, 0xff),
                               {0}});
  const auto ranges = parse_route_advertisement(value);
  ASSERT_TRUE(ranges) << why_refused(ranges);
  EXPECT_EQ(*ranges, (std::vector<IpRange>{
                         range("0.0.0.0", "9.255.255.255"), range("11.0.0.0", "255.255.255.255"),
                         range("10.0.0.0", "10.0.0.0", 6),
                         range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")}));
}

TEST(RouteAdvertisement, RefusesWhatIsNotSortedOrOverlaps) {
  const std::vector<IpRange> cases[] = {
      {range("10.0.0.0", "10.0.0.9"), range("10.0.0.9", "10.0.0.20")},
      {range("10.0.0.0", "10.0.0.9"), range("10.0.0.0", "10.0.0.9")},
      {range("10.0.0.0", "10.0.0.9"), range("9.0.0.0", "9.0.0.9")},
      {range("10.0.0.0", "10.0.0.9", 17), range("11.0.0.0", "11.0.0.9", 6)},
      {range("::1", "::2"), range("10.0.0.0", "10.0.0.9")},
  };
  for (const auto& ranges : cases) {
    EXPECT_EQ(why_refused(parse_route_advertisement(write_routes(ranges))),
              "the peer's capsule has a range out of order behind " + ranges[0].first.to_string());
  }
}

TEST(RouteAdvertisement, RefusesAProtocolsRangeOverOneOfAll) {
  const std::string reason = "the peer's capsule has ranges of protocols that overlap";
  const auto all = {range("10.0.0.0", "10.0.0.9"), range("10.0.0.20", "10.0.0.29"),
                    range("::", "::9")};
  const auto with = [&](const IpRange& one) {
    std::vector<IpRange> ranges(all);
    ranges.insert(ranges.begin() + (one.first.is_v4() ? 2 : 3), one);
    return why_refused(parse_route_advertisement(write_routes(ranges)));
  };
  EXPECT_EQ(with(range("10.0.0.9", "10.0.0.12", 6)), reason);
  EXPECT_EQ(with(range("10.0.0.12", "10.0.0.20", 6)), reason);
  EXPECT_EQ(with(range("0.0.0.0", "255.255.255.255", 6)), reason);
  EXPECT_EQ(with(range("10.0.0.22", "10.0.0.22", 255)), reason);
  EXPECT_EQ(with(range("::9", "::a", 6)), reason);
  EXPECT_EQ(with(range("10.0.0.10", "10.0.0.19", 6)), "not refused");
  EXPECT_EQ(with(range("10.0.0.30", "255.255.255.255", 6)), "not refused");
  EXPECT_EQ(with(range("::a", "::a", 6)), "not refused");
}

TEST(RouteAdvertisement, RefusesValuesThatCannotBe) {
  const std::pair<Octets, std::string> cases[] = {
      {{4, 10, 0, 0, 2, 10, 0, 0, 1, 0}, "a range from 10.0.0.2 down to 10.0.0.1"},
      {{7, 10, 0, 0, 2, 10, 0, 0, 1, 0}, "IP version 7"},
      {{4, 10, 0, 0, 1, 10, 0, 0, 1}, "an entry that is cut short"},
      {{4, 10, 0, 0, 1, 10, 0, 0}, "an entry that is cut short"},
      {{4}, "an entry that is cut short"},
  };
  for (const auto& [value, reason] : cases) {
    EXPECT_EQ(why_refused(parse_route_advertisement(value)), "the peer's capsule has " + reason);
  }
}

TEST(IpCapsule, WritesWhatItReads) {
  const std::vector<CapsuleAddress> addresses = {{0, Prefix(ip("10.8.0.2"), 32)},
                                                 {70000, Prefix(ip("2001:db8::"), 64)}};
  EXPECT_EQ(parse_address_assign(write_addresses(addresses)), addresses);
  const std::vector<IpRange> ranges = {range("10.0.0.0", "10.0.0.255", 6), range("::1", "::2")};
  EXPECT_EQ(parse_route_advertisement(write_routes(ranges)), ranges);
}

}  // namespace
}  // namespace qdt::wire
