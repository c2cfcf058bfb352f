#pragma once

#include <string>

#include "os/linux/host_link.h"
#include "os/linux/tun_programs.h"

// The first steps of a child process of ours, which ends by the end of its link to the main process
// alone.

namespace qdt::os {

/// Ctrl-C and a service manager's SIGTERM reach all processes of a program. A child ends by the
/// main process's end alone, after its work is done. Programs that it starts block none
/// (SpawnSettings).
void block_signals();

/// Keeps only standard input, output and error, the link, which becomes the first behind them, and
/// the programs, if there are any: what else the main process has open is not the child's to keep
/// open, the log's own copy of a terminal included.
HostLink keep_only(HostLink link, TunPrograms* programs);

/// Shows the process as `title` in ps, and its thread as `thread_name` in top.
void show_title(const std::string& title, const char* thread_name);

}  // namespace qdt::os
