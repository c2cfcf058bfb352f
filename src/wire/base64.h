#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace qdt::wire {

/// Standard base64 (RFC 4648 section 4) without padding.
std::string encode_base64(Bytes bytes);

/// The inverse; padding may be there or not. Nothing for any other character, a wrong length, or
/// bits left over that are not zero.
std::optional<std::vector<std::uint8_t>> decode_base64(std::string_view text);

/// The same with the alphabet for URLs (RFC 4648 section 5), and never with padding.
std::string encode_base64url(Bytes bytes);
std::optional<std::vector<std::uint8_t>> decode_base64url(std::string_view text);

}  // namespace qdt::wire
