#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "base/time.h"
#include "os/poller.h"

namespace qdt::os {

/// A program to be run as it is, without a shell.
struct Program {
  std::vector<std::string> words;        ///< its path and its arguments
  std::vector<std::string> environment;  ///< NAME=VALUE, besides this process's own
  Duration limit = 30s;                  ///< it and what it started are killed after that
  /// Readable once this process is to stop: the program is asked to end too (SIGTERM; on Windows it
  /// is killed), and killed some seconds later.
  std::optional<PollHandle> stop;
};

/// Whether run_program() runs the file at `path`; the error says why not. On Linux one that others
/// could replace is not run: they may write it or a folder on the way to it.
Result<void> check_program(const std::string& path);

/// Runs a program to its end and logs what it prints, a line each. An error when it cannot be run,
/// ends with another status than 0, or takes too long.
Result<void> run_program(const Program& program, Logger& logger);

}  // namespace qdt::os
