#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::os {

/// The addresses of `host` (a name or an address) in the system's order of preference (RFC 6724).
/// Blocks for as long as the system's resolver does: not for a shard's thread.
Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port);

}  // namespace qdt::os
