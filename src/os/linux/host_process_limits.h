#pragma once

#include <string>
#include <vector>

#include "base/logger.h"
#include "os/host_control.h"

namespace qdt::os {

/// Folders in which a host process with this plan makes, changes and removes files: of the kernel's
/// settings, of name servers, of notes about what is to be undone. A file in the root of the file
/// system stands for itself.
std::vector<std::string> places_written(const HostPlan& plan);

/// Leaves a host process, which stays the user that it is, with what changes of a host's network
/// need: some capabilities, no_new_privs, no calls that serve an intruder alone (seccomp), and
/// files to be written in places_written() alone (Landlock). Programs that it starts inherit all
/// that, so a plan with hooks leaves everything as it is, which is told, and a host with
/// resolvconf(8) leaves files as they are. What a kernel cannot do is told at level debug, and the
/// rest is done.
void limit_host_process(const HostPlan& plan, Logger& logger);

}  // namespace qdt::os
