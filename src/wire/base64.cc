#include "wire/base64.h"

namespace qdt::wire {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode(Bytes bytes, std::string_view alphabet) {
  std::string text;
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (bit_count += 8; bit_count >= 6; bit_count -= 6) {
      text += alphabet[bits >> (bit_count - 6) & 0x3f];
    }
  }
  if (bit_count > 0) text += alphabet[bits << (6 - bit_count) & 0x3f];
  return text;
}

std::optional<std::vector<std::uint8_t>> decode(std::string_view text, std::string_view alphabet) {
  if (text.size() % 4 == 1) return std::nullopt;

  std::vector<std::uint8_t> bytes;
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char letter : text) {
    const std::size_t value = alphabet.find(letter);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(bits >> bit_count));
  }
  if ((bits & ((1U << bit_count) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::string encode_base64(Bytes bytes) {
  return encode(bytes, kAlphabet);
}

std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text) {
  if (const std::size_t padding = text.find('='); padding != std::string_view::npos) {
    if (text.size() % 4 != 0 || text.size() - padding > 2) return std::nullopt;
    if (text.find_first_not_of('=', padding) != std::string_view::npos) return std::nullopt;
    text = text.substr(0, padding);
  }
  return decode(text, kAlphabet);
}

std::string encode_base64url(Bytes bytes) {
  return encode(bytes, kUrlAlphabet);
}

std::optional<std::vector<std::uint8_t>> decode_base64url(std::string_view text) {
  return decode(text, kUrlAlphabet);
}

}  // namespace qdt::wire
