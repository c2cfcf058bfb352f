#pragma once

#include <string>

#include "command_line.h"

namespace qdt::apps {

/// `qdt-client add`, `list`, `up`, `down` and `remove`; the exit code.
int control_profiles(const std::string& program, const ProfileCommand& command);

}  // namespace qdt::apps
