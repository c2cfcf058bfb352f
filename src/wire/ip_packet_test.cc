#include "wire/ip_packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace qdt::wire {
namespace {

// UDP from 10.8.0.2 to 1.1.1.1, DF, 4 bytes of UDP header cut for brevity: 24 bytes.
std::vector<std::uint8_t> v4() {
  return {0x45, 0, 0, 24, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 8, 0, 2, 1, 1, 1, 1, 1, 2, 3, 4};
}

std::vector<std::uint8_t> v6() {
  std::vector<std::uint8_t> bytes(48);
  bytes[0] = 0x60;
  bytes[5] = 8;
  bytes[6] = 58;
  bytes[8] = 0xfd;
  bytes[23] = 2;
  bytes[24] = 0x20;
  bytes[39] = 1;
  return bytes;
}

TEST(IpPacket, ReadsAnIpv4Header) {
  const auto bytes = v4();
  const auto packet = parse_ip_packet(bytes);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->source.to_string(), "10.8.0.2");
  EXPECT_EQ(packet->destination.to_string(), "1.1.1.1");
  EXPECT_EQ(packet->protocol, kProtocolUdp);
  EXPECT_EQ(packet->payload().size(), 4u);
  EXPECT_TRUE(packet->dont_fragment);
  EXPECT_FALSE(packet->is_later_fragment);
}

TEST(IpPacket, ReadsAnIpv6Header) {
  const auto bytes = v6();
  const auto packet = parse_ip_packet(bytes);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->source.to_string(), "fd00::2");
  EXPECT_EQ(packet->destination.to_string(), "2000::1");
  EXPECT_EQ(packet->protocol, kProtocolIcmpv6);
  EXPECT_EQ(packet->payload().size(), 8u);
  EXPECT_TRUE(packet->dont_fragment);
}

TEST(IpPacket, RefusesLengthsThatLie) {
  auto longer = v4();
  longer[3] = 25;
  EXPECT_FALSE(parse_ip_packet(longer));
  auto shorter = v4();
  shorter[3] = 23;
  EXPECT_FALSE(parse_ip_packet(shorter));
  auto header = v4();
  header[0] = 0x4f;  // options up to byte 60
  EXPECT_FALSE(parse_ip_packet(header));
  auto no_header = v4();
  no_header[0] = 0x44;
  EXPECT_FALSE(parse_ip_packet(no_header));
  auto six = v6();
  six[5] = 9;
  EXPECT_FALSE(parse_ip_packet(six));
}

TEST(IpPacket, RefusesEveryTruncation) {
  for (const auto& bytes : {v4(), v6()}) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(parse_ip_packet(Bytes(bytes).first(length))) << length;
    }
  }
}

TEST(IpPacket, RefusesMappedAddresses) {
  for (const std::size_t at : {8, 24}) {
    auto bytes = v6();
    std::fill_n(&bytes[at], 16, std::uint8_t{0});
    bytes[at + 10] = bytes[at + 11] = 0xff;
    EXPECT_FALSE(parse_ip_packet(bytes)) << at;
  }
}

TEST(IpPacket, RefusesOtherVersions) {
  auto bytes = v4();
  bytes[0] = 0x55;
  EXPECT_FALSE(parse_ip_packet(bytes));
}

TEST(IpPacket, KnowsLaterFragments) {
  auto bytes = v4();
  bytes[6] = 0x20;  // more fragments, offset 0: the first
  EXPECT_FALSE(parse_ip_packet(bytes)->is_later_fragment);
  bytes[7] = 0x10;
  EXPECT_TRUE(parse_ip_packet(bytes)->is_later_fragment);
}

}  // namespace
}  // namespace qdt::wire
