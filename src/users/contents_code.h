#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "users/model.h"

namespace qdt::users {

/// Contents as bytes, for another process of ours (base/archive.h). Empty where they are too many.
std::string encode_contents(const Contents& contents);
/// Nothing: it is no such message.
std::optional<Contents> decode_contents(std::string_view bytes);

}  // namespace qdt::users
