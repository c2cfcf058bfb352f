#pragma once

#include <string_view>

namespace qdt {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Where the shell tells what it does. Any thread. Never called per packet: what the network can
/// cause at will is counted (base/drop.h), not logged.
class Logger {
 public:
  virtual ~Logger() = default;

  void debug(std::string_view message) { write(LogLevel::kDebug, message); }
  void info(std::string_view message) { write(LogLevel::kInfo, message); }
  void warning(std::string_view message) { write(LogLevel::kWarning, message); }
  void error(std::string_view message) { write(LogLevel::kError, message); }

 private:
  virtual void write(LogLevel level, std::string_view message) = 0;
};

}  // namespace qdt
