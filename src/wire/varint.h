#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace qdt::wire {

/// QUIC's variable-length integers (RFC 9000 section 16).
inline constexpr std::size_t kMaxVarintBytes = 8;
inline constexpr std::uint64_t kMaxVarint = (std::uint64_t{1} << 62) - 1;

struct Varint {
  std::uint64_t value;
  std::size_t bytes;  ///< how many bytes it took
};

/// Reads the varint at the start of `from`; nothing when it is cut short.
std::optional<Varint> parse_varint(Bytes from);

/// How many bytes `value` takes in its shortest form. `value` is at most kMaxVarint.
constexpr std::size_t varint_bytes(std::uint64_t value) {
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x40000000 ? 4 : 8;
}

/// Writes the shortest form of `value` to the start of `to` and returns its length; `to` has
/// room for varint_bytes(value).
std::size_t write_varint(MutableBytes to, std::uint64_t value);

/// The same behind what `out` has.
void append_varint(std::vector<std::uint8_t>& out, std::uint64_t value);

}  // namespace qdt::wire
