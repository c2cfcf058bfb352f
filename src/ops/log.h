#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/logger.h"

namespace qdt::ops {

/// How a message becomes a line.
enum class LogFormat {
  kText,     ///< `2026-11-22 14:38:01.123 info  message` or `... warning: message`, local time
  kJournal,  ///< `<6>message`, `<4>warning: message`: the journal keeps level and time itself, but
             ///< shows no level (sd-daemon(3))
  kJson,     ///< `{"time":"2026-11-22T13:38:01.123Z","level":"info","msg":"message"}`
};

/// A message as one line without its end, whatever the message holds: control characters are
/// written out, so that nobody forges a line or reaches a terminal.
/// The fields are keys of their own in JSON, and nothing in the other forms.
std::string log_line(LogFormat format, LogLevel level, std::chrono::system_clock::time_point time,
                     std::string_view message, LogFields fields = {});

/// A log whose level may change. Any thread.
class LevelLogger : public Logger {
 public:
  virtual void set_level(LogLevel level) = 0;
};

/// A log of `level` and above on standard error: text, in the journal's form where standard error
/// is systemd's journal, or JSON. Any thread; a line is written whole and at once, or later where
/// nobody reads it, or not at all (os::StandardError): the log never holds anybody up.
std::unique_ptr<LevelLogger> make_logger(LogLevel level, bool json);

}  // namespace qdt::ops
