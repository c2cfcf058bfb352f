#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace qdt::control {

// Answers of the API for users, for a person. Each fails where the text is no such answer.

/// Of /v1/users: a line for each user.
Result<std::string> describe_users(std::string_view users);
/// Of /v1/users/NAME: what is known of the user, and a line for each device.
Result<std::string> describe_user(std::string_view user);
/// Of /v1/groups: a line for each group.
Result<std::string> describe_groups(std::string_view groups);
/// Of /v1/groups/NAME: what it says of its users, and who they are.
Result<std::string> describe_group(std::string_view group);
/// Of /v1/users, or one: a line for each device.
Result<std::string> describe_devices(std::string_view users);
/// Of /v1/usage: a line for each user, or for one and each of its devices; kNotFound.
Result<std::string> describe_usage(std::string_view usage, std::string_view user = {});
/// The same answer, of this user alone; kNotFound.
Result<std::string> usage_of(std::string_view usage, std::string_view user);
/// Of /v1/deeds.
Result<std::string> describe_deeds(std::string_view deeds);
/// Of a device that is new, or has another key: what its owner has to write down now.
enum class DeviceChange { kAdded, kRotated };
Result<std::string> describe_secrets(std::string_view told, DeviceChange change);

/// The ID of the user's device of that name; kNotFound.
Result<std::string> device_id(std::string_view user, std::string_view name);

}  // namespace qdt::control
