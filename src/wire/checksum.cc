#include "wire/checksum.h"

namespace qdt::wire {

Checksum& Checksum::add(Bytes range) {
  // Four bytes at a time: the carries gather in the upper half and are folded in at the end.
  const std::uint8_t* at = range.data();
  std::size_t left = range.size();
  for (; left >= 4; left -= 4, at += 4) sum_ += load_be<std::uint32_t>(at);
  if (left >= 2) {
    sum_ += load_be<std::uint16_t>(at);
    at += 2;
    left -= 2;
  }
  if (left == 1) sum_ += static_cast<std::uint64_t>(*at) << 8;
  return *this;
}

std::uint16_t Checksum::finish() const {
  std::uint64_t sum = sum_;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace qdt::wire
