#include "os/windows/service_state.h"

#include <atomic>

#include "os/windows/stop_request.h"

namespace qdt::os {
namespace {

// How long the service manager is to be patient with the next state. A first connection may take as
// long as the server and `timeout` want.
constexpr DWORD kStartHintMilliseconds = 120'000;
constexpr DWORD kStopHintMilliseconds = 20'000;

// One process is one service: the manager's, as its exit status is.
std::atomic<SERVICE_STATUS_HANDLE> the_service = nullptr;
std::atomic<DWORD> the_state = SERVICE_STOPPED;

void report(DWORD state, DWORD hint_milliseconds = 0, int exit_status = 0) {
  if (the_service == nullptr) return;
  the_state = state;
  const bool has_failed = exit_status != 0;
  SERVICE_STATUS status{
      .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
      .dwCurrentState = state,
      .dwControlsAccepted =
          state == SERVICE_STOPPED ? 0U : DWORD{SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN},
      .dwWin32ExitCode = has_failed ? DWORD{ERROR_SERVICE_SPECIFIC_ERROR} : DWORD{NO_ERROR},
      .dwServiceSpecificExitCode = static_cast<DWORD>(exit_status),
      .dwCheckPoint = 0,
      .dwWaitHint = hint_milliseconds};
  ::SetServiceStatus(the_service, &status);
}

DWORD WINAPI on_control(DWORD control, DWORD /*type*/, void* /*details*/, void* /*context*/) {
  switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
      report_stopping();
      StopRequest::of_process().make(control == SERVICE_CONTROL_STOP ? "the service manager"
                                                                     : "shutdown");
      return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE: return NO_ERROR;
    default: return ERROR_CALL_NOT_IMPLEMENTED;
  }
}

}  // namespace

bool is_service() {
  return the_service != nullptr;
}

bool enter_service(const wchar_t* name) {
  the_service = ::RegisterServiceCtrlHandlerExW(name, on_control, nullptr);
  report(SERVICE_START_PENDING, kStartHintMilliseconds);
  return the_service != nullptr;
}

void report_running() {
  // Not back from stopping.
  if (the_state == SERVICE_START_PENDING) report(SERVICE_RUNNING);
}

void report_stopping() {
  report(SERVICE_STOP_PENDING, kStopHintMilliseconds);
}

void report_stopped(int exit_status) {
  report(SERVICE_STOPPED, 0, exit_status);
}

}  // namespace qdt::os
