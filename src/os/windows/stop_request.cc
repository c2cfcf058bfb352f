#include "os/windows/stop_request.h"

#include "os/windows/service_state.h"

namespace qdt::os {
namespace {

// Windows ends the process when the handler returns, or after 5 s (20 s at a shutdown): until then
// main puts the host back and exits.
constexpr DWORD kLongestEndMilliseconds = 20'000;

BOOL WINAPI on_console_control(DWORD control) {
  // A service lives on when somebody logs off.
  if (control == CTRL_LOGOFF_EVENT && is_service()) return TRUE;
  StopRequest& request = StopRequest::of_process();
  switch (control) {
    case CTRL_C_EVENT: request.make("Ctrl-C"); return TRUE;
    case CTRL_BREAK_EVENT: request.make("Ctrl-Break"); return TRUE;
    case CTRL_CLOSE_EVENT: request.make("the window was closed"); break;
    case CTRL_LOGOFF_EVENT: request.make("logoff"); break;
    case CTRL_SHUTDOWN_EVENT: request.make("shutdown"); break;
    default: return FALSE;
  }
  ::Sleep(kLongestEndMilliseconds);
  return TRUE;
}

}  // namespace

StopRequest& StopRequest::of_process() {
  static StopRequest request;
  return request;
}

void StopRequest::make(const char* name) {
  name_.store(name);
  ::SetEvent(event_.get());
}

std::optional<std::string> StopRequest::take() {
  ::ResetEvent(event_.get());
  const char* const name = name_.exchange(nullptr);
  if (name == nullptr) return std::nullopt;
  return name;
}

bool StopRequest::listen_to_console() {
  // A process started in a process group of its own inherits that Ctrl-C is ignored.
  ::SetConsoleCtrlHandler(nullptr, FALSE);
  return ::SetConsoleCtrlHandler(on_console_control, TRUE) != 0;
}

}  // namespace qdt::os
