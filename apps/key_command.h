#pragma once

#include <string>

#include "command_line.h"

namespace qdt::apps {

/// `key`: makes a device's key, and prints the lines that both sides need. The exit code.
int make_key(const std::string& program, const KeyCommand& command);

}  // namespace qdt::apps
