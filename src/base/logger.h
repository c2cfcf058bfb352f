#pragma once

#include <initializer_list>
#include <string_view>

namespace qdt {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// A fact of a message by itself, for programs that read the log: `session`, `client`, `address`,
/// `reason`. The message tells it in words, too. Valid during the call.
struct LogField {
  std::string_view key;
  std::string_view value;
};
using LogFields = std::initializer_list<LogField>;

/// Where the shell tells what it does. Any thread. Never called per packet: what the network can
/// cause at will is counted (base/drop.h), not logged.
class Logger {
 public:
  virtual ~Logger() = default;

  void debug(std::string_view message) { write(LogLevel::kDebug, message); }
  void info(std::string_view message) { write(LogLevel::kInfo, message); }
  void warning(std::string_view message) { write(LogLevel::kWarning, message); }
  void error(std::string_view message) { write(LogLevel::kError, message); }
  void info(std::string_view message, LogFields fields) {
    write_with(LogLevel::kInfo, message, fields);
  }
  void warning(std::string_view message, LogFields fields) {
    write_with(LogLevel::kWarning, message, fields);
  }

 private:
  virtual void write(LogLevel level, std::string_view message) = 0;
  /// A log that has no place for fields needs none of this.
  virtual void write_with(LogLevel level, std::string_view message, LogFields /*fields*/) {
    write(level, message);
  }
};

}  // namespace qdt
