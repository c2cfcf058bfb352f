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

// Likewise what a server has counted, and what users have used of their quotas.
std::string encode_counts(const Counts& counts);
std::optional<Counts> decode_counts(std::string_view bytes);
std::string encode_quota_uses(const std::vector<QuotaUse>& uses);
std::optional<std::vector<QuotaUse>> decode_quota_uses(std::string_view bytes);

}  // namespace qdt::users
