#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/logger.h"
#include "base/result.h"

namespace qdt::os {

/// The user that a process becomes when root has started it. Started by another user (a service
/// manager that gives it capabilities), it stays that user's.
struct ProcessUser {
  std::uint32_t id = 0;
  std::uint32_t group = 0;
  /// A note for the log, if any: there is no such user, or it is root.
  std::string note;

  bool is_root() const { return id == 0; }
};

/// The user of that name (`user` in the configuration). kOwnUser may be missing, as it is where the
/// programs were built and not installed: then an ID that no user has. Another that is missing is
/// an error that says how to make it.
Result<ProcessUser> find_process_user(const std::string& name);
inline constexpr const char* kOwnUser = "qdt";

/// The needs of a process once it is set up. Plain values: nothing here comes from the network.
struct SandboxOptions {
  ProcessUser user;
  /// Files and folders that it opens for reading; what is not there is left out.
  std::vector<std::string> readable;
  bool has_profiler = false;  ///< it writes profiles, to memory
};

/// Keeps the secrets of this process out of core files, and other processes of the same user from
/// looking at its memory. First thing in main: children inherit it.
void hide_memory();

/// Has the allocator ask the kernel now what it would else ask from a confined thread. The first
/// time that a thread of the process gives back much memory at once, such as that of a thousand
/// sessions, glibc (2.36) looks in /proc/sys/vm/overcommit_memory how to do that, and remembers the
/// answer; a packet's thread would be refused it, and look like an intruder's. In main, before
/// anything is opened.
void settle_memory();

/// Leaves this process with the least that it needs, for good: its user, CAP_NET_ADMIN alone,
/// no_new_privs, the files named (Landlock) and the system calls of a program that moves packets
/// (seccomp). Before there is a second thread; every later one inherits it. What a kernel cannot do
/// is told to `logger`, and the rest is done; on Windows there is nothing of it.
///
/// A system call that the filter refuses is named on standard error. One that only an intruder
/// makes, to start a program or write to a file, ends the process by SIGSYS; any other fails.
Result<void> enter_sandbox(const SandboxOptions& options, Logger& logger);

/// From now on the calling thread can do nothing but move packets: no file can be opened, no
/// socket made. Without effect before enter_sandbox().
void confine_packet_thread();

}  // namespace qdt::os
