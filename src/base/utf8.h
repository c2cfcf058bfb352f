#pragma once

#include <cstddef>
#include <string_view>

namespace qdt {

/// The length of the UTF-8 sequence (RFC 3629) that `text`, not empty, begins with; 0 when it is
/// none.
std::size_t utf8_length(std::string_view text);

/// Where `text` first stops being UTF-8; npos when it does not.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace qdt
