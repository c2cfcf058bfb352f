#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qdt::os {

/// The path of the control group (version 2) that /proc/self/cgroup names, from its `/` on; empty:
/// the root, or none.
std::string group_of(std::string_view proc_cgroup);

/// The processors that a group's cpu.max is enough for, rounded up: `MICROSECONDS PERIOD`; no bound
/// for `max`, or for words that are not understood.
std::size_t processors_of_quota(std::string_view cpu_max);

}  // namespace qdt::os
