#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace qdt::wire {

/// What a signature of version 2 covers: 64 spaces, what it is for, a zero byte and the content,
/// part by part; no signature for one purpose is good for another (as in RFC 8446 section 4.4.3).
inline std::vector<std::uint8_t> signed_content(std::string_view purpose,
                                                std::initializer_list<Bytes> parts) {
  constexpr std::size_t kSpaces = 64;
  std::size_t bytes = kSpaces + purpose.size() + 1;
  for (const Bytes part : parts) bytes += part.size();
  std::vector<std::uint8_t> content(bytes, 0x20);
  MutableBytes rest = append(MutableBytes(content).subspan(kSpaces), as_bytes(purpose));
  rest[0] = 0;
  rest = rest.subspan(1);
  for (const Bytes part : parts) rest = append(rest, part);
  return content;
}

}  // namespace qdt::wire
