#include "ops/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

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
  spdlog::level::level_enum spdlog;
};

LevelNames names(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return {"debug", "debug ", "<7>", spdlog::level::debug};
    case LogLevel::kInfo: return {"info", "info  ", "<6>", spdlog::level::info};
    case LogLevel::kWarning: return {"warn", "warning: ", "<4>", spdlog::level::warn};
    case LogLevel::kError: break;
  }
  return {"error", "error: ", "<3>", spdlog::level::err};
}

LogLevel from_spdlog(spdlog::level::level_enum level) {
  if (level <= spdlog::level::debug) return LogLevel::kDebug;
  if (level == spdlog::level::info) return LogLevel::kInfo;
  return level == spdlog::level::warn ? LogLevel::kWarning : LogLevel::kError;
}

using Time = std::chrono::system_clock::time_point;

int milliseconds(Time time) {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::floor<milliseconds>(time.time_since_epoch());
  return static_cast<int>((since_epoch % std::chrono::seconds(1)).count());
}

std::string json_line(LevelNames level, Time time, std::string_view message) {
  const std::time_t second =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  const nlohmann::ordered_json line = {
      {"time", fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(second), milliseconds(time))},
      {"level", level.name},
      {"msg", message}};
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
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit StderrSink(LogFormat format) : format_(format) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write(from_spdlog(message.level), message.time,
          std::string_view(message.payload.data(), message.payload.size()));
    if (const std::uint64_t lost = out_.take_lost(); lost > 0) {
      write(LogLevel::kWarning, message.time,
            std::to_string(lost) +
                " lines of this log were lost before this one: nobody read them, or the disk was "
                "full");
    }
  }
  void write(LogLevel level, Time time, std::string_view message) {
    out_.write(log_line(format_, level, time, message) + "\n");
  }
  void flush_() override {}

  LogFormat format_;
  os::StandardError out_;
};

class StderrLogger final : public LevelLogger {
 public:
  StderrLogger(LogLevel level, LogFormat format)
      : logger_("qdt", std::make_shared<StderrSink>(format)) {
    set_level(level);
  }

  void set_level(LogLevel level) override { logger_.set_level(names(level).spdlog); }

 private:
  // spdlog catches what its sinks throw.
  void write(LogLevel level, std::string_view message) override {
    logger_.log(names(level).spdlog, spdlog::string_view_t(message.data(), message.size()));
  }

  spdlog::logger logger_;
};

}  // namespace

std::string log_line(LogFormat format, LogLevel level, Time time, std::string_view message) {
  switch (format) {
    case LogFormat::kJson: return json_line(names(level), time, message);
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
