#pragma once

#include <string>

#include "base/result.h"

namespace qdt::os {

/// Whether systemd runs this host, and has the unit files of this program.
bool has_unit(const std::string& name);
/// Starts a unit and has it start with the system (systemctl enable --now). What systemctl says
/// goes to the terminal.
Result<void> start_unit(const std::string& name);
/// The reverse: it ends, and does not start with the system any more.
Result<void> stop_unit(const std::string& name);

}  // namespace qdt::os
