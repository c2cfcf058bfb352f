#include "wire/ecn.h"

#include "wire/checksum.h"

namespace qdt::wire {
namespace {

constexpr std::uint8_t kCongestionExperienced = 0x03;

}  // namespace

bool mark_congestion(MutableBytes packet) {
  const bool is_v4 = packet[0] >> 4 == 4;
  // The two lowest bits of IPv4's second byte; of IPv6's traffic class, which lies across the first
  // two bytes.
  const int shift = is_v4 ? 0 : 4;
  const bool is_capable = ((packet[1] >> shift) & kCongestionExperienced) != 0;
  if (!is_capable) return false;
  packet[1] |= static_cast<std::uint8_t>(kCongestionExperienced << shift);
  if (is_v4) {
    const std::size_t header_bytes = std::size_t{4} * (packet[0] & 0x0f);
    store_be<std::uint16_t>(&packet[10], 0);
    store_be<std::uint16_t>(&packet[10], Checksum().add(packet.first(header_bytes)).finish());
  }
  return true;
}

}  // namespace qdt::wire
