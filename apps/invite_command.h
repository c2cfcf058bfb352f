#pragma once

#include <string>

#include "user_answerer.h"
#include "user_command.h"

namespace qdt::apps {

/// `qdt-server invite`: prints a link. The exit code.
int run_invite(const std::string& program, const UserCommand& command,
               const std::string& config_path, const Ask& ask);

}  // namespace qdt::apps
