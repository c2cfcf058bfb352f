#include "os/windows/packet_checksum.h"

#include <cassert>
#include <cstring>

namespace qdt::os {
namespace {

// The Internet checksum's sum (RFC 1071) in the byte order of this machine. 64 KiB of the largest
// words leave room in 64 bits.
std::uint16_t sum_of(Bytes bytes) {
  std::uint64_t sum = 0;
  const std::uint8_t* at = bytes.data();
  const std::size_t words = bytes.size() / 4;
  for (std::size_t i = 0; i < words; ++i, at += 4) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    sum += word;
  }
  std::uint32_t rest = 0;
  std::memcpy(&rest, at, bytes.size() % 4);
  sum += rest;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

}  // namespace

void finish_checksum(MutableBytes packet, const Offload& offload) {
  const std::size_t field = std::size_t{offload.checksum_start} + offload.checksum_offset;
  assert(field + 2 <= packet.size());
  auto checksum = static_cast<std::uint16_t>(~sum_of(packet.subspan(offload.checksum_start)));
  // In UDP 0 says that there is none (RFC 768); in TCP both say the same.
  if (checksum == 0) checksum = 0xffff;
  std::memcpy(packet.data() + field, &checksum, sizeof checksum);
}

}  // namespace qdt::os
