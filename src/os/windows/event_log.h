#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/logger.h"
#include "base/result.h"

namespace qdt::os {

/// A line of the log as the event log has it. A level stands at its start, `<3>` say, as for
/// systemd's journal (sd-daemon(3)); without one it is an error's words to a person.
struct EventLine {
  LogLevel level = LogLevel::kError;
  std::string_view text;
};
EventLine parse_event_line(std::string_view line);

/// While the object lives, what this process writes to standard error goes to Windows' event log
/// (Application, under the name of the service), an entry for each line.
class EventLog {
 public:
  static Result<EventLog> open(const std::string& source);
  EventLog(EventLog&&) noexcept;
  EventLog& operator=(EventLog&&) noexcept;
  /// All that was written is there when it returns.
  ~EventLog();

 private:
  struct State;
  explicit EventLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Tells the event viewer how to show entries of `source`: by the messages in `program` (apps/
/// windows/events.mc). And forgets that again.
Result<void> register_event_source(const std::string& source, const std::string& program);
void forget_event_source(const std::string& source);

}  // namespace qdt::os
