#pragma once

#include <vector>

#include "ops/config.h"
#include "ops/config_table.h"

namespace qdt::ops {

/// Every key of server.yaml and of client.yaml, in the order of the example files. From these
/// tables come parsing, errors, suggestions, the example files and the tables in the README.
const std::vector<Key<ServerConfig>>& server_keys();
const std::vector<Key<ClientConfig>>& client_keys();

/// A burst that is not given is this many seconds' worth of its rate.
inline constexpr double kBurstSeconds = 2;
inline constexpr double kIpBurstSeconds = 20;

}  // namespace qdt::ops
