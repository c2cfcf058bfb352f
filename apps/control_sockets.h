#pragma once

#include <expected>
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

}  // namespace qdt::apps
