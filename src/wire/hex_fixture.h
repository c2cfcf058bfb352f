#pragma once

// For tests only.

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace qdt::wire {

using Octets = std::vector<std::uint8_t>;

/// The bytes of a text of hexadecimal digits, two each; an array takes as many as it has.
template <typename T = Octets>
T from_hex(const std::string& hex) {
  T bytes{};
  if constexpr (std::is_same_v<T, Octets>) bytes.resize(hex.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace qdt::wire
