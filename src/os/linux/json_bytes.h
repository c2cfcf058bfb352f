#pragma once

#include <string>
#include <string_view>

namespace qdt::os {

// JSON text is Unicode, files are bytes: each byte travels as the character of that number.
inline std::string text_from_bytes(std::string_view bytes) {
  std::string text;
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x80) {
      text += letter;
    } else {
      text += {static_cast<char>(0xc0 | (byte >> 6)), static_cast<char>(0x80 | (byte & 0x3f))};
    }
  }
  return text;
}

inline std::string bytes_from_text(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80 || i + 1 == text.size()) {
      bytes += text[i];
    } else {
      bytes += static_cast<char>((lead & 0x03) << 6 | (text[++i] & 0x3f));
    }
  }
  return bytes;
}

}  // namespace qdt::os
