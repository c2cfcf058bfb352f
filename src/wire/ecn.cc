#include "wire/ecn.h"

#include "wire/checksum.h"

namespace qdt::wire {
namespace {

constexpr std::uint8_t kCongestionExperienced = 0x03;

bool is_v4(Bytes packet) {
  return packet[0] >> 4 == 4;
}

// The field is the two lowest bits of IPv4's second byte; of IPv6's traffic class, which lies
// across the first two bytes.
int shift_of(Bytes packet) {
  return is_v4(packet) ? 0 : 4;
}

}  // namespace

bool mark_congestion(MutableBytes packet) {
  const int shift = shift_of(packet);
  const bool is_capable = ((packet[1] >> shift) & kCongestionExperienced) != 0;
  if (!is_capable) return false;
  packet[1] |= static_cast<std::uint8_t>(kCongestionExperienced << shift);
  if (is_v4(packet)) {
    const std::size_t header_bytes = std::size_t{4} * (packet[0] & 0x0f);
    store_be<std::uint16_t>(&packet[10], 0);
    store_be<std::uint16_t>(&packet[10], Checksum().add(packet.first(header_bytes)).finish());
  }
  return true;
}

Ecn ecn_of(Bytes packet) {
  return static_cast<Ecn>((packet[1] >> shift_of(packet)) & kCongestionExperienced);
}

}  // namespace qdt::wire
