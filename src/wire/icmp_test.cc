#include "wire/icmp.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "wire/checksum.h"

namespace qdt::wire {
namespace {

const IpAddress kGateway = IpAddress::v4(0x0a080001);
const IpAddress kGateway6 = *IpAddress::parse("fd00::1");

std::vector<std::uint8_t> v4(std::uint8_t protocol, std::size_t bytes) {
  std::vector<std::uint8_t> packet(bytes, 0xab);
  append(packet, std::array<std::uint8_t, 20>{0x45, 0, 0,  0, 0, 1, 0x40, 0, 64, protocol,
                                              0,    0, 10, 8, 0, 2, 1,    1, 1,  1});
  store_be<std::uint16_t>(&packet[2], static_cast<std::uint16_t>(bytes));
  return packet;
}

// 100 bytes, of which `payload` are the first behind the header.
std::vector<std::uint8_t> v6(std::uint8_t next, const std::vector<std::uint8_t>& payload) {
  std::vector<std::uint8_t> packet(100, 0);
  append(packet, std::array<std::uint8_t, 8>{0x60, 0, 0, 0, 0, 60, next, 64});
  append(MutableBytes(packet).subspan(8), IpAddress::parse("fd00::2")->bytes());
  append(MutableBytes(packet).subspan(24), IpAddress::parse("2001:db8::8")->bytes());
  append(MutableBytes(packet).subspan(40), payload);
  return packet;
}

TEST(Icmp, TellsAnIpv4SenderTheMtu) {
  const auto big = v4(kProtocolTcp, 1500);
  std::array<std::uint8_t, kMaxIcmpErrorBytes> out;
  const std::size_t bytes = write_too_big(*parse_ip_packet(big), 1350, kGateway, out);
  const auto error = parse_ip_packet(Bytes(out).first(bytes));
  ASSERT_TRUE(error);
  EXPECT_EQ(bytes, 576u);
  EXPECT_EQ(error->source, kGateway);
  EXPECT_EQ(error->destination.to_string(), "10.8.0.2");
  EXPECT_EQ(error->payload()[0], 3);
  EXPECT_EQ(error->payload()[1], 4);
  EXPECT_EQ(load_be<std::uint16_t>(&error->payload()[6]), 1350);
  EXPECT_TRUE(std::equal(big.begin(), big.begin() + 548, error->payload().begin() + 8));
}

TEST(Icmp, WritesValidIpv4Checksums) {
  const auto big = v4(kProtocolUdp, 1401);
  std::array<std::uint8_t, kMaxIcmpErrorBytes> out;
  const std::size_t bytes = write_too_big(*parse_ip_packet(big), 1280, kGateway, out);
  EXPECT_EQ(Checksum().add(Bytes(out).first(20)).finish(), 0);
  EXPECT_EQ(Checksum().add(Bytes(out).subspan(20, bytes - 20)).finish(), 0);
}

TEST(Icmp, TellsAnIpv6SenderTheMtu) {
  std::vector<std::uint8_t> big(1400, 0x11);
  big[0] = 0x60;
  store_be<std::uint16_t>(&big[4], 1360);
  big[6] = kProtocolTcp;
  big[8] = 0xfd;
  big[24] = 0x20;
  std::array<std::uint8_t, kMaxIcmpErrorBytes> out;
  const IpAddress gateway = *IpAddress::parse("fd00::1");
  const std::size_t bytes = write_too_big(*parse_ip_packet(big), 1300, gateway, out);
  const auto error = parse_ip_packet(Bytes(out).first(bytes));
  ASSERT_TRUE(error);
  EXPECT_EQ(bytes, 1280u);
  EXPECT_EQ(error->payload()[0], 2);
  EXPECT_EQ(load_be<std::uint32_t>(&error->payload()[4]), 1300u);
  const std::uint16_t checksum = Checksum()
                                     .add(Bytes(out).subspan(8, 32))
                                     .add(static_cast<std::uint16_t>(bytes - 40))
                                     .add(std::uint16_t{kProtocolIcmpv6})
                                     .add(error->payload())
                                     .finish();
  EXPECT_EQ(checksum, 0);
}

TEST(Icmp, TellsThatNothingIsReached) {
  std::array<std::uint8_t, kMaxIcmpErrorBytes> out;
  const auto packet4 = v4(kProtocolUdp, 100);
  const std::size_t bytes4 = write_unreachable(*parse_ip_packet(packet4), kGateway, out);
  EXPECT_EQ(bytes4, 128u);
  const auto error4 = parse_ip_packet(Bytes(out).first(bytes4));
  ASSERT_TRUE(error4);
  EXPECT_EQ(load_be<std::uint16_t>(error4->payload().data()), 0x0300);
  EXPECT_EQ(load_be<std::uint32_t>(&error4->payload()[4]), 0u);

  std::vector<std::uint8_t> packet6(100, 0x11);
  append(packet6, std::array<std::uint8_t, 8>{0x60, 0, 0, 0, 0, 60, kProtocolUdp, 64});
  const IpAddress gateway = *IpAddress::parse("fd00::1");
  const std::size_t bytes6 = write_unreachable(*parse_ip_packet(packet6), gateway, out);
  EXPECT_EQ(bytes6, 148u);
  const auto error6 = parse_ip_packet(Bytes(out).first(bytes6));
  ASSERT_TRUE(error6);
  EXPECT_EQ(load_be<std::uint16_t>(error6->payload().data()), 0x0100);
  EXPECT_EQ(load_be<std::uint32_t>(&error6->payload()[4]), 0u);
}

TEST(Icmp, TellsThatASourceIsNotTaken) {
  std::array<std::uint8_t, kMaxIcmpErrorBytes> out;
  const auto packet4 = v4(kProtocolUdp, 100);
  const std::size_t bytes4 = write_wrong_source(*parse_ip_packet(packet4), kGateway, out);
  const auto error4 = parse_ip_packet(Bytes(out).first(bytes4));
  ASSERT_TRUE(error4);
  EXPECT_EQ(load_be<std::uint16_t>(error4->payload().data()), 0x030d);

  const auto packet6 = v6(kProtocolUdp, {});
  const std::size_t bytes6 = write_wrong_source(*parse_ip_packet(packet6), kGateway6, out);
  const auto error6 = parse_ip_packet(Bytes(out).first(bytes6));
  ASSERT_TRUE(error6);
  EXPECT_EQ(load_be<std::uint16_t>(error6->payload().data()), 0x0105);
}

// Whether a packet may be answered, whatever the error.
bool is_answered(const std::vector<std::uint8_t>& packet) {
  std::array<std::uint8_t, kMaxIcmpErrorBytes> out;
  const auto ip = parse_ip_packet(packet);
  return write_unreachable(*ip, ip->is_v4() ? kGateway : kGateway6, out) > 0;
}

TEST(Icmp, AnswersHostsAlone) {
  EXPECT_TRUE(is_answered(v4(kProtocolUdp, 100)));
  for (const char* text : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.0.1", "224.0.0.1",
                           "240.0.0.1", "255.255.255.255"}) {
    for (const std::size_t place : {12, 16}) {
      auto packet = v4(kProtocolUdp, 100);
      append(MutableBytes(packet).subspan(place), IpAddress::parse(text)->bytes());
      EXPECT_FALSE(is_answered(packet)) << text << " at " << place;
    }
  }
}

TEST(Icmp, AnswersHostsAloneOverIpv6) {
  EXPECT_TRUE(is_answered(v6(kProtocolUdp, {})));
  for (const char* text : {"::", "::1", "fe80::1", "ff02::1"}) {
    for (const std::size_t place : {8, 24}) {
      auto packet = v6(kProtocolUdp, {});
      append(MutableBytes(packet).subspan(place), IpAddress::parse(text)->bytes());
      EXPECT_FALSE(is_answered(packet)) << text << " at " << place;
    }
  }
}

TEST(Icmp, FindsErrorsBehindExtensionHeaders) {
  EXPECT_FALSE(is_answered(v6(kProtocolIcmpv6, {1})));
  EXPECT_FALSE(is_answered(v6(kProtocolIcmpv6, {137}))) << "a redirect (RFC 4443 2.4(e))";
  EXPECT_TRUE(is_answered(v6(kProtocolIcmpv6, {128})));
  EXPECT_FALSE(is_answered(v6(60, {kProtocolIcmpv6, 0, 1, 4, 0, 0, 0, 0, 1})));
  EXPECT_TRUE(is_answered(v6(60, {kProtocolIcmpv6, 0, 1, 4, 0, 0, 0, 0, 128})));
  EXPECT_FALSE(is_answered(v6(60, {kProtocolUdp, 200}))) << "longer than the packet";
}

TEST(Icmp, AnswersTheFirstFragmentAlone) {
  EXPECT_TRUE(is_answered(v6(44, {kProtocolUdp, 0, 0, 1, 0, 0, 0, 7})));
  EXPECT_FALSE(is_answered(v6(44, {kProtocolUdp, 0, 0, 9, 0, 0, 0, 7})));
  EXPECT_FALSE(is_answered(v6(44, {kProtocolIcmpv6, 0, 0, 1, 0, 0, 0, 7, 3})));
  EXPECT_FALSE(
      is_answered(v6(44, {60, 0, 0, 1, 0, 0, 0, 7, kProtocolIcmpv6, 0, 1, 4, 0, 0, 0, 0, 3})));
}

TEST(Icmp, StaysSilentWhereAnAnswerIsForbidden) {
  std::array<std::uint8_t, kMaxIcmpErrorBytes> out;
  auto error = v4(kProtocolIcmp, 1400);
  error[20] = 3;
  EXPECT_EQ(write_too_big(*parse_ip_packet(error), 1300, kGateway, out), 0u);
  auto echo = v4(kProtocolIcmp, 1400);
  echo[20] = 8;
  EXPECT_NE(write_too_big(*parse_ip_packet(echo), 1300, kGateway, out), 0u);
  auto later = v4(kProtocolUdp, 1400);
  later[7] = 1;
  EXPECT_EQ(write_too_big(*parse_ip_packet(later), 1300, kGateway, out), 0u);
  auto multicast = v4(kProtocolUdp, 1400);
  multicast[16] = 224;
  EXPECT_EQ(write_too_big(*parse_ip_packet(multicast), 1300, kGateway, out), 0u);
}

}  // namespace
}  // namespace qdt::wire
