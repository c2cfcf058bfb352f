#pragma once

#include <string>
#include <vector>

#include "base/logger.h"

namespace qdt::os {

// Leftovers of crashed processes on this host. lock_journals() is held.

/// Undoes what these journals have, but for those of living processes. Returns what was done, a
/// line each.
std::vector<std::string> undo_leftovers(const std::vector<std::string>& journals, Logger& logger);

/// Warns of kill switches among these journals whose process is gone: starting a program is no
/// reason to let go of one.
void log_kill_switches(const std::vector<std::string>& journals, Logger& logger);

}  // namespace qdt::os
