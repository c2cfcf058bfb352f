#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace qdt::control {

/// The answers of a server to /v1/status and /v1/sessions for a person, in lines of at most 100
/// letters: two for each session. Bold and red letters for a terminal where `has_color`. Fails
/// where they are not such answers.
Result<std::string> describe_server(std::string_view status, std::string_view sessions,
                                    bool has_color);

/// Both in one object, in one line.
Result<std::string> join_server(std::string_view status, std::string_view sessions);

/// The answer to /v1/reload for a person.
Result<std::string> describe_reload(std::string_view reloaded);

/// The IDs of the sessions of `client`, which is its name, its user's or one of its inner addresses.
Result<std::vector<std::string>> sessions_of(std::string_view sessions, std::string_view client);

}  // namespace qdt::control
