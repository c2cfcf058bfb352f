#pragma once

#include <cstddef>

namespace qdt::os {

/// The processors that this process can keep busy at once, at least one: those that it may run on
/// (sched_setaffinity(2), taskset), and no more than its control group's quota of time (cgroup v2,
/// cpu.max, of the group and those above it), rounded up.
std::size_t usable_processors();

}  // namespace qdt::os
