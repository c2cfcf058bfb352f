#pragma once

#include "base/result.h"

namespace qdt::os {

/// Starts Winsock for this process, once, and leaves it on until the process ends. Whoever makes a
/// socket asks first. Any thread.
Result<void> start_winsock();

}  // namespace qdt::os
