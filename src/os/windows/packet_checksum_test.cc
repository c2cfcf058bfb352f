#include "os/windows/packet_checksum.h"

#include <gtest/gtest.h>

#include <vector>

namespace qdt::os {
namespace {

// 2 bytes before the part that is summed, then: 12 34, the field, 56.
std::vector<std::uint8_t> packet(std::uint8_t high, std::uint8_t low) {
  return {0xff, 0xff, 0x12, 0x34, high, low, 0x56};
}
constexpr Offload kOffload{.needs_checksum = true, .checksum_start = 2, .checksum_offset = 2};

TEST(PacketChecksum, AddsEverythingToWhatIsInTheField) {
  auto bytes = packet(0x00, 0x01);
  finish_checksum(bytes, kOffload);
  // 1234 + 0001 + 5600 = 6835
  EXPECT_EQ(bytes, packet(0x97, 0xca));
}

TEST(PacketChecksum, CarriesAround) {
  auto bytes = packet(0xff, 0xff);
  finish_checksum(bytes, kOffload);
  // 1234 + ffff + 5600 = 16833, 6834
  EXPECT_EQ(bytes, packet(0x97, 0xcb));
}

TEST(PacketChecksum, IsNeverZero) {
  auto bytes = packet(0x97, 0xcb);  // 1234 + 97cb + 5600 = ffff
  finish_checksum(bytes, kOffload);
  EXPECT_EQ(bytes, packet(0xff, 0xff));
}

TEST(PacketChecksum, HoldsTheLargestPacket) {
  std::vector<std::uint8_t> bytes(65535, 0xff);
  bytes[2] = bytes[3] = 0;
  finish_checksum(bytes, {.needs_checksum = true, .checksum_start = 0, .checksum_offset = 2});
  // All ones are minus zero; the odd byte at the end counts as ff00.
  EXPECT_EQ(bytes[2], 0x00);
  EXPECT_EQ(bytes[3], 0xff);
}

}  // namespace
}  // namespace qdt::os
