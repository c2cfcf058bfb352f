#pragma once

#include "base/result.h"

namespace qdt::os {

/// From now on a system call that a filter refuses is named on standard error, the first of them at
/// least: `refused: execve (59) in the thread qdt-shard-0`. One of hostile_calls() ends the
/// process by SIGSYS; any other returns an error to its caller.
Result<void> report_forbidden_calls();

}  // namespace qdt::os
