#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qdt::os {

/// A value of one argument that makes a system call allowed.
struct ArgumentRule {
  unsigned argument = 0;  ///< from 0
  std::uint64_t mask = ~std::uint64_t{};
  std::uint64_t value = 0;
};

/// A system call that is allowed: always, or with these arguments (all of them).
struct AllowedCall {
  const char* name;  ///< one that this architecture does not have is left out
  std::vector<ArgumentRule> rules;
  int error = 0;  ///< not 0: the call is only tried, and fails with this
};

/// The Unix sockets that a process makes.
enum class UnixSockets {
  kAny,        ///< name services, a service manager
  kDatagrams,  ///< a service manager alone (sd_notify(3))
  kNone,
};

/// The needs of a process besides moving packets.
struct CallNeeds {
  bool has_profiler = false;  ///< it opens files in memory for writing
  UnixSockets unix_sockets = UnixSockets::kAny;
};

/// The calls of a thread that moves packets.
std::vector<AllowedCall> packet_calls();

/// The calls of any thread, the former included: it reads files, looks at the host, listens for
/// metrics, starts threads.
std::vector<AllowedCall> process_calls(const CallNeeds& needs);

/// Calls that are only tried: a library does without them when the kernel does not have them.
std::span<const char* const> absent_calls();

/// Calls that change other processes, file systems, the kernel or the machine: neither process has
/// a reason to make one.
std::span<const char* const> calls_on_others();

/// Calls that the process that moves packets has no reason to make, the former included: an
/// intruder makes them.
std::vector<const char*> hostile_calls();

}  // namespace qdt::os
