#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace qdt::control {

/// The time that a program waits for its answer.
inline constexpr Duration kPatience = 8s;

/// Makes one request of the program that listens on the unix socket at `path`, and returns the body
/// of its answer: JSON. A refusal is an error with the program's own words and code. kUnavailable:
/// nobody listens there any more; kPermission: this user may not ask; kTimeout: no answer.
/// `body` is JSON; empty: none.
Result<std::string> call(const std::string& path, std::string_view method, std::string_view target,
                         Duration patience = kPatience, std::string_view body = {});

}  // namespace qdt::control
