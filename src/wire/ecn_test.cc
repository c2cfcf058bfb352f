#include "wire/ecn.h"

#include <gtest/gtest.h>

#include <array>

#include "wire/checksum.h"

namespace qdt::wire {
namespace {

constexpr std::array<std::uint8_t, 20> kIpv4 = {
    0x45, 0x02, 0x00, 0x14, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11, 0, 0, 10, 8, 0, 2, 10, 8, 0, 1};

TEST(MarkCongestion, KeepsTheHeaderChecksumTrue) {
  auto packet = kIpv4;
  EXPECT_TRUE(mark_congestion(packet));
  EXPECT_EQ(packet[1], 0x03);
  EXPECT_EQ(Checksum().add(packet).finish(), 0);
}

TEST(MarkCongestion, KeepsTheRestOfTheTrafficClass) {
  std::array<std::uint8_t, 40> packet{0x6a, 0x91, 0x23, 0x45};  // class 0xa9: ECT(1)
  EXPECT_TRUE(mark_congestion(packet));
  EXPECT_EQ(packet[0], 0x6a);
  EXPECT_EQ(packet[1], 0xb1);
}

TEST(MarkCongestion, LeavesAloneWhoDoesNotUnderstandIt) {
  auto packet = kIpv4;
  packet[1] = 0xb8;
  const auto before = packet;
  EXPECT_FALSE(mark_congestion(packet));
  EXPECT_EQ(packet, before);
}

}  // namespace
}  // namespace qdt::wire
