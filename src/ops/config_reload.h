#pragma once

#include <string>
#include <string_view>

#include "ops/config.h"

namespace qdt::ops {

/// Whether a running server takes another value of this key of server.yaml when it reads the file
/// again; any other key needs a restart.
bool is_taken_at_once(std::string_view key);
/// Those keys in words, in the order of the file, a group by its name.
std::string keys_taken_at_once();

/// The configuration of a server that was started with `start`, and has read `found` since: the
/// keys that are taken at once are those of `found`.
ServerConfig reloaded(const ServerConfig& start, const ServerConfig& found);

}  // namespace qdt::ops
