#include "wire/flow_hash.h"

#include <gtest/gtest.h>

#include <array>

namespace qdt::wire {
namespace {

using Udp4 = std::array<std::uint8_t, 28>;

Udp4 udp(std::uint8_t host, std::uint8_t port) {
  return {0x45, 0, 0,  28, 0, 0,    0,    0,    64, 17,   0, 0, 10, 8,
          0,    2, 10, 8,  0, host, 0x30, 0x39, 0,  port, 0, 8, 0,  0};
}

std::uint64_t hash(const Udp4& packet) {
  return flow_hash(*parse_ip_packet(packet));
}

TEST(FlowHash, IsTheFlowsOwn) {
  EXPECT_EQ(hash(udp(1, 53)), hash(udp(1, 53)));
  EXPECT_NE(hash(udp(1, 53)), hash(udp(1, 54)));
  EXPECT_NE(hash(udp(1, 53)), hash(udp(3, 53)));
}

// RFC 791 section 3.2: only the first fragment has ports.
TEST(FlowHash, IsOneForAllFragmentsOfAPacket) {
  auto first = udp(1, 53);
  first[6] = 0x20;
  auto second = udp(1, 99);
  second[7] = 0x01;
  EXPECT_EQ(hash(first), hash(second));
}

}  // namespace
}  // namespace qdt::wire
