#include "ops/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>

#include "ops/text.h"
#include "os/standard_error.h"

namespace qdt::ops {
namespace {

struct LevelNames {
  std::string_view name;
  std::string_view label;           // in text
  std::string_view journal_prefix;  // syslog's severities
};

LevelNames names(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return {"debug", "debug ", "<7>"};
    case LogLevel::kInfo: return {"info", "info  ", "<6>"};
    case LogLevel::kWarning: return {"warn", "warning: ", "<4>"};
    case LogLevel::kError: break;
  }
  return {"error", "error: ", "<3>"};
}

using Time = std::chrono::system_clock::time_point;

int milliseconds(Time time) {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::floor<milliseconds>(time.time_since_epoch());
  return static_cast<int>((since_epoch % std::chrono::seconds(1)).count());
}

std::string json_line(LevelNames level, Time time, std::string_view message, LogFields fields) {
  const std::time_t second =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  nlohmann::ordered_json line = {
      {"time", fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(second), milliseconds(time))},
      {"level", level.name},
      {"msg", message}};
  for (const LogField& field : fields) line[std::string(field.key)] = field.value;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string journal_line(LevelNames level, std::string_view message) {
  const bool is_labelled = level.label.ends_with(": ");
  return std::string(level.journal_prefix).append(is_labelled ? level.label : "") +
         printable(message);
}

std::string text_line(LevelNames level, Time time, std::string_view message) {
  const std::time_t second =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  return fmt::format("{:%F %T}.{:03} {}{}", fmt::localtime(second), milliseconds(time), level.label,
                     printable(message));
}

// One line after the other, whatever threads they come from.
class StderrLogger final : public LevelLogger {
 public:
  StderrLogger(LogLevel level, LogFormat format) : level_(level), format_(format) {}

  void set_level(LogLevel level) override { level_ = level; }

 private:
  void write(LogLevel level, std::string_view message) override { write_with(level, message, {}); }

  void write_with(LogLevel level, std::string_view message, LogFields fields) override {
    if (level < level_) return;
    try {
      const Time time = std::chrono::system_clock::now();
      const std::scoped_lock lock(mutex_);
      out_.write(log_line(format_, level, time, message, fields) + "\n");
      if (const std::uint64_t lost = out_.take_lost(); lost > 0) {
        out_.write(log_line(format_, LogLevel::kWarning, time,
                            std::to_string(lost) +
                                " lines of this log were lost before this one: nobody read them, "
                                "or the disk was full") +
                   "\n");
      }
    } catch (const std::exception&) {  // out of memory: the line is lost, and the program goes on
    }
  }

  std::atomic<LogLevel> level_;
  const LogFormat format_;
  std::mutex mutex_;
  os::StandardError out_;
};

}  // namespace

std::string log_line(LogFormat format, LogLevel level, Time time, std::string_view message,
                     LogFields fields) {
  switch (format) {
    case LogFormat::kJson: return json_line(names(level), time, message, fields);
    case LogFormat::kJournal: return journal_line(names(level), message);
    case LogFormat::kText: break;
  }
  return text_line(names(level), time, message);
}

std::unique_ptr<LevelLogger> make_logger(LogLevel level, bool json) {
  const LogFormat text =
      os::is_standard_error_the_journal() ? LogFormat::kJournal : LogFormat::kText;
  return std::make_unique<StderrLogger>(level, json ? LogFormat::kJson : text);
}

}  // namespace qdt::ops
