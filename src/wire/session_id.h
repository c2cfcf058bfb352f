#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qdt::wire {

/// A session's number, random; no secret.
using SessionId = std::uint64_t;

/// 16 hexadecimal digits: JSON's numbers end at 53 bits.
std::string session_id_text(SessionId id);
std::optional<SessionId> parse_session_id(std::string_view text);

}  // namespace qdt::wire
