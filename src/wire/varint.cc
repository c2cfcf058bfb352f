#include "wire/varint.h"

#include <cassert>

namespace qdt::wire {

std::optional<Varint> parse_varint(Bytes from) {
  if (from.empty()) return std::nullopt;
  const std::size_t bytes = std::size_t{1} << (from[0] >> 6);
  if (from.size() < bytes) return std::nullopt;

  std::uint64_t value = from[0] & 0x3f;
  for (std::size_t i = 1; i < bytes; ++i) value = value << 8 | from[i];
  return Varint{value, bytes};
}

std::size_t write_varint(MutableBytes to, std::uint64_t value) {
  assert(value <= kMaxVarint && to.size() >= varint_bytes(value));
  switch (varint_bytes(value)) {
    case 1: to[0] = static_cast<std::uint8_t>(value); return 1;
    case 2:
      store_be<std::uint16_t>(to.data(), static_cast<std::uint16_t>(value | 0x4000));
      return 2;
    case 4:
      store_be<std::uint32_t>(to.data(), static_cast<std::uint32_t>(value | 0x80000000));
      return 4;
    default: store_be<std::uint64_t>(to.data(), value | 0xc000000000000000); return 8;
  }
}

void append_varint(std::vector<std::uint8_t>& out, std::uint64_t value) {
  out.resize(out.size() + varint_bytes(value));
  write_varint(MutableBytes(out).last(varint_bytes(value)), value);
}

}  // namespace qdt::wire
