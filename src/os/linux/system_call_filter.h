#pragma once

#include <span>

#include "base/result.h"
#include "os/linux/system_calls.h"

namespace qdt::os {

/// The threads that a filter holds: all of the process, or the one that asks for it.
enum class FilterScope { kProcess, kThread };

/// From now on only these system calls are made; for any other the kernel calls the handler of
/// forbidden_call.h. Another filter may only take more away. Needs no_new_privs.
Result<void> filter_system_calls(std::span<const AllowedCall> calls, FilterScope scope);

/// From now on these calls, and calls_on_others(), fail with EPERM in all threads of this process;
/// all other calls are made as before. Needs no_new_privs.
Result<void> refuse_system_calls(std::span<const char* const> calls);

}  // namespace qdt::os
