#pragma once

#include <cstdint>

#include "base/result.h"

namespace qdt::os {

/// A set of capabilities(7), bit N for number N.
using Capabilities = std::uint64_t;

/// Those that this process can use now.
Capabilities effective_capabilities();

/// Nothing that this process or a child of it does brings back more than `kept`: the bounding set,
/// the ambient set, and the rules by which user 0 is given everything. As far as it is allowed to
/// (CAP_SETPCAP).
void bound_capabilities(Capabilities kept);

/// Becomes that user, with no group but `group`, and keeps its capabilities. A process of root.
Result<void> become_user(std::uint32_t user, std::uint32_t group);

/// Gives up all but `kept`, for good.
Result<void> keep_capabilities(Capabilities kept);

}  // namespace qdt::os
