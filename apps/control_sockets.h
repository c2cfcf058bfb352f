#pragma once

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "command_line.h"
#include "os/control_socket.h"

namespace qdt::apps {

/// The sockets of the running programs that `command` is for: all of them, or the one that --tun
/// names. Says on standard error, and returns the exit code, where there are none, or several for
/// a command that is for one.
std::expected<std::vector<os::FoundSocket>, int> find_sockets(const std::string& program,
                                                              os::HostPlan::Role role,
                                                              const ControlCommand& command);

/// The exit code where no program runs.
inline constexpr int kNoneRuns = 4;

/// Has `print` called each second, on a terminal for a page of its own, until it returns 1, a
/// fault. A program that has been there once and is gone (kNoneRuns) is waited for: it may be
/// starting again.
int watch(bool as_json, const std::function<int()>& print);

}  // namespace qdt::apps
