#include "ops/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <nlohmann/json.hpp>

#include "ops/text.h"
#include "os/standard_error.h"

namespace qdt::ops {
namespace {

struct LevelNames {
  std::string_view name;
  std::string_view journal_prefix;  // syslog's severities
  spdlog::level::level_enum spdlog;
};

LevelNames names(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return {"debug", "<7>", spdlog::level::debug};
    case LogLevel::kInfo: return {"info", "<6>", spdlog::level::info};
    case LogLevel::kWarning: return {"warn", "<4>", spdlog::level::warn};
    case LogLevel::kError: break;
  }
  return {"error", "<3>", spdlog::level::err};
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

std::string text_line(LevelNames level, Time time, std::string_view message) {
  const std::time_t second =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  return fmt::format("{:%F %T}.{:03} {:<5} {}", fmt::localtime(second), milliseconds(time),
                     level.name, printable(message));
}

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string line =
        log_line(format_, from_spdlog(message.level), message.time,
                 std::string_view(message.payload.data(), message.payload.size()));
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(format_);
  }

 private:
  LogFormat format_;
};

class StderrLogger final : public Logger {
 public:
  StderrLogger(LogLevel level, LogFormat format)
      : logger_("qdt", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_formatter(std::make_unique<LineFormatter>(format));
    logger_.set_level(names(level).spdlog);
    logger_.flush_on(spdlog::level::trace);
  }

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
    case LogFormat::kJournal: return std::string(names(level).journal_prefix) + printable(message);
    case LogFormat::kText: break;
  }
  return text_line(names(level), time, message);
}

std::unique_ptr<Logger> make_logger(LogLevel level, bool json) {
  const LogFormat text =
      os::is_standard_error_the_journal() ? LogFormat::kJournal : LogFormat::kText;
  return std::make_unique<StderrLogger>(level, json ? LogFormat::kJson : text);
}

}  // namespace qdt::ops
