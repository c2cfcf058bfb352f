#include "os/windows/event_log.h"

#include <fcntl.h>
#include <io.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <thread>
#include <utility>

#include "os/windows/standard_error_target.h"
#include "os/windows/system_error.h"
#include "os/windows/unique_handle.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

// The only message of apps/windows/events.mc: the line itself.
constexpr DWORD kLineMessage = 1;
constexpr std::size_t kMaxLineBytes = 8000;  // ReportEvent takes 31,839 characters

std::wstring key_of(const std::string& source) {
  return L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" + to_wide(source);
}

WORD type_of(LogLevel level) {
  switch (level) {
    case LogLevel::kError: return EVENTLOG_ERROR_TYPE;
    case LogLevel::kWarning: return EVENTLOG_WARNING_TYPE;
    default: return EVENTLOG_INFORMATION_TYPE;
  }
}

}  // namespace

EventLine parse_event_line(std::string_view line) {
  const bool has_level = line.size() >= 3 && line[0] == '<' && line[2] == '>';
  if (!has_level) return {.text = line};
  EventLine event{.text = line.substr(3)};
  if (line[1] >= '0' && line[1] <= '3') return event;
  event.level = line[1] == '4' ? LogLevel::kWarning : LogLevel::kInfo;
  return event;
}

struct EventLog::State {
  HANDLE log = nullptr;
  UniqueHandle lines;  // our end of the pipe that is standard error
  int former = -1;     // what it was before
  std::thread reader;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  Result<void> redirect();
  void read();
  void write(std::string_view line) const;
};

Result<void> EventLog::State::redirect() {
  HANDLE read = nullptr;
  HANDLE write = nullptr;
  if (::CreatePipe(&read, &write, nullptr, 1 << 16) == 0) return windows_error("make a pipe");
  lines.reset(read);
  UniqueHandle ours(write);
  const int descriptor = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(write), _O_BINARY);
  if (descriptor < 0) return fail("write to the event log: no file descriptor is free");
  ours.release();
  // A service has no standard error, and the C library no descriptor for it.
  if (::_fileno(stderr) < 0 && std::freopen("NUL", "wb", stderr) == nullptr) {
    ::_close(descriptor);
    return fail("write to the event log: there is no standard error");
  }
  former = ::_dup(::_fileno(stderr));
  ::_dup2(descriptor, ::_fileno(stderr));
  ::_close(descriptor);
  std::setvbuf(stderr, nullptr, _IONBF, 0);
  return {};
}

void EventLog::State::write(std::string_view line) const {
  const auto [level, text] = parse_event_line(line);
  if (text.empty()) return;
  const std::wstring wide = to_wide(text);
  const wchar_t* words = wide.c_str();
  ::ReportEventW(log, type_of(level), 0, kLineMessage, nullptr, 1, 0, &words, nullptr);
}

void EventLog::State::read() {
  std::string line;
  std::array<char, 4096> piece;
  for (DWORD bytes = 0;
       ::ReadFile(lines.get(), piece.data(), piece.size(), &bytes, nullptr) != 0 && bytes > 0;) {
    for (const char letter : std::string_view(piece.data(), bytes)) {
      if (letter == '\n') {
        write(line);
        line.clear();
      } else if (letter != '\r' && line.size() < kMaxLineBytes) {
        line += letter;
      }
    }
  }
  write(line);
}

EventLog::State::~State() {
  if (former >= 0) {
    std::fflush(stderr);
    ::_dup2(former, ::_fileno(stderr));  // closes the pipe, and so ends the reader
    ::_close(former);
    set_standard_error_target(StandardErrorTarget::kOther);
  }
  if (reader.joinable()) reader.join();
  if (log != nullptr) ::DeregisterEventSource(log);
}

Result<EventLog> EventLog::open(const std::string& source) {
  auto state = std::make_unique<State>();
  state->log = ::RegisterEventSourceW(nullptr, to_wide(source).c_str());
  if (state->log == nullptr) return windows_error("open the event log");
  if (auto ok = state->redirect(); !ok) return fail(ok);
  state->reader = std::thread([log = state.get()] { log->read(); });
  set_standard_error_target(StandardErrorTarget::kEventLog);
  return EventLog(std::move(state));
}

EventLog::EventLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventLog::EventLog(EventLog&&) noexcept = default;
EventLog& EventLog::operator=(EventLog&&) noexcept = default;
EventLog::~EventLog() = default;

Result<void> register_event_source(const std::string& source, const std::string& program) {
  const std::string doing = "register with the event log";
  HKEY opened = nullptr;
  LSTATUS error = ::RegCreateKeyExW(HKEY_LOCAL_MACHINE, key_of(source).c_str(), 0, nullptr, 0,
                                    KEY_SET_VALUE, nullptr, &opened, nullptr);
  if (error != ERROR_SUCCESS) return windows_error(doing, static_cast<DWORD>(error));
  const std::unique_ptr<std::remove_pointer_t<HKEY>, decltype(&::RegCloseKey)> key(opened,
                                                                                   ::RegCloseKey);
  const std::wstring file = to_wide(program);
  const DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
  error = ::RegSetValueExW(key.get(), L"EventMessageFile", 0, REG_EXPAND_SZ,
                           reinterpret_cast<const BYTE*>(file.c_str()),
                           static_cast<DWORD>((file.size() + 1) * sizeof(wchar_t)));
  if (error == ERROR_SUCCESS) {
    error = ::RegSetValueExW(key.get(), L"TypesSupported", 0, REG_DWORD,
                             reinterpret_cast<const BYTE*>(&types), sizeof types);
  }
  if (error != ERROR_SUCCESS) return windows_error(doing, static_cast<DWORD>(error));
  return {};
}

void forget_event_source(const std::string& source) {
  ::RegDeleteKeyW(HKEY_LOCAL_MACHINE, key_of(source).c_str());
}

}  // namespace qdt::os
