#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/request_body.h"
#include "users/model.h"

// The settings of users and groups, as bodies of requests have them (docs/control.md).

namespace qdt::control {

/// What happens at the end of a quota that has no rate for it.
inline constexpr const char* kBlock = "block";

/// The keys of a group's settings, and of a user's, who has others beside.
const std::vector<std::string>& limit_keys();
const std::vector<std::string>& setting_keys();
/// `name`, and those: what a new one may be given.
std::vector<std::string> with_name(const std::vector<std::string>& keys);

/// Changes what the body gives, and leaves the rest. Errors are kInvalidArgument; then a part may
/// be changed.
Result<void> take_limits(const RequestBody& body, users::Limits& limits);
Result<void> take_settings(const RequestBody& body, std::int64_t now, users::User& user);

/// For the log of changes: ` up="20mbit" enabled=false`. No setting is a secret.
std::string settings_in_words(const RequestBody& body);

}  // namespace qdt::control
