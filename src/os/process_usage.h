#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace qdt::os {

/// The resources that this process has used, and holds now.
struct ProcessUsage {
  double start_time_seconds = 0;  ///< since the Unix epoch
  double cpu_seconds = 0;         ///< of all threads, user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t max_open_files = 0;
};

/// Fails where /proc cannot be read.
Result<ProcessUsage> process_usage();

/// The arguments of this process, each with a NUL byte behind it; empty where they are unknown.
std::string command_line();

/// The path of this process's program, as the list of its mappings has it; empty where unknown.
std::string program_path();

}  // namespace qdt::os
