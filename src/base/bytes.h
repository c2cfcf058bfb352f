#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace qdt {

/// Borrowed bytes, read-only. The lender outlives the span.
using Bytes = std::span<const std::uint8_t>;
/// Borrowed bytes that may be written.
using MutableBytes = std::span<std::uint8_t>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads an unsigned big-endian integer. The caller has checked that sizeof(T) bytes are there.
template <std::unsigned_integral T>
T load_be(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  return value;
}

/// Writes an unsigned big-endian integer. The caller has checked that sizeof(T) bytes fit.
template <std::unsigned_integral T>
void store_be(std::uint8_t* to, std::type_identity_t<T> value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof value);
}

/// Copies `from` to the start of `to`, which must be long enough, and returns what is left of `to`.
inline MutableBytes append(MutableBytes to, Bytes from) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
  return to.subspan(from.size());
}

}  // namespace qdt
