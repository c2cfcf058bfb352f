#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace qdt {

/// ASCII's digits and letters, whatever the locale: as protocols and files have them.
constexpr bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

constexpr bool is_lower(char letter) {
  return letter >= 'a' && letter <= 'z';
}

constexpr bool is_upper(char letter) {
  return letter >= 'A' && letter <= 'Z';
}

constexpr bool is_alpha(char letter) {
  return is_lower(letter) || is_upper(letter);
}

constexpr char to_lower(char letter) {
  return is_upper(letter) ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

/// The value of a hexadecimal digit, in small letters or capitals; nothing for any other letter.
constexpr std::optional<int> hex_digit(char letter) {
  if (is_digit(letter)) return letter - '0';
  const char lower = to_lower(letter);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return std::nullopt;
}

/// Two small hexadecimal digits for each byte, behind what `out` has.
inline void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xf];
  }
}

}  // namespace qdt
