#pragma once

namespace qdt::os {

/// A host process's name in ps and /proc/PID/comm, by which it is told from a main process.
inline constexpr const char* kHostProcessName = "qdt-host";

}  // namespace qdt::os
