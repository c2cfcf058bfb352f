#include "os/service.h"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/time.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/windows/access.h"
#include "os/windows/command_words.h"
#include "os/windows/event_log.h"
#include "os/windows/program_folder.h"
#include "os/windows/run_folder.h"
#include "os/windows/service_state.h"
#include "os/windows/system_error.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

struct ServiceCloser {
  void operator()(SC_HANDLE handle) const { ::CloseServiceHandle(handle); }
};
using ServiceHandle = std::unique_ptr<std::remove_pointer_t<SC_HANDLE>, ServiceCloser>;

constexpr Duration kStartLimit = 150s;
constexpr Duration kStopLimit = 30s;
constexpr auto kLookEvery = std::chrono::milliseconds(100);

Result<ServiceHandle> open_manager(DWORD access, const std::string& doing) {
  ServiceHandle manager(::OpenSCManagerW(nullptr, nullptr, access));
  if (!manager) return windows_error(doing);
  return manager;
}

Result<ServiceHandle> open_service(const Service& service, DWORD access, const std::string& doing) {
  const auto manager = open_manager(SC_MANAGER_CONNECT, doing);
  if (!manager) return fail(manager);
  ServiceHandle handle(::OpenServiceW(manager->get(), to_wide(service.name).c_str(), access));
  if (handle) return handle;
  if (::GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST) {
    return fail(doing + ": it is not installed; qdt-client service install does that");
  }
  return windows_error(doing);
}

SERVICE_STATUS_PROCESS status_of(const ServiceHandle& service) {
  SERVICE_STATUS_PROCESS status{};
  DWORD bytes = 0;
  ::QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO, reinterpret_cast<BYTE*>(&status),
                         sizeof status, &bytes);
  return status;
}

// Its status when it is in none of the states that pass, or after `limit`.
SERVICE_STATUS_PROCESS wait_while(const ServiceHandle& service, DWORD state, Duration limit) {
  const Timestamp deadline = now() + limit;
  for (;;) {
    const SERVICE_STATUS_PROCESS status = status_of(service);
    if (status.dwCurrentState != state || now() >= deadline) return status;
    std::this_thread::sleep_for(kLookEvery);
  }
}

// How it has ended, as far as Windows knows.
std::string ending_of(const SERVICE_STATUS_PROCESS& status) {
  if (status.dwWin32ExitCode == NO_ERROR) return "";
  if (status.dwWin32ExitCode != ERROR_SERVICE_SPECIFIC_ERROR) {
    return ": " + windows_text(status.dwWin32ExitCode);
  }
  return " with status " + std::to_string(status.dwServiceSpecificExitCode);
}

// A user who could change the service would have the system's rights.
Result<void> check_places(const std::string& program, const std::string& config_path) {
  if (!file_exists(config_path)) {
    return fail("install the service: there is no configuration " + config_path +
                "; put one there, or name one with --config");
  }
  for (const std::string& path : {program, program_folder()}) {
    if (!is_writable_by_others(path)) continue;
    return fail("install the service: " + path +
                " can be changed by users who are no administrators, and so could the service; "
                "put the program into a folder of \"C:\\Program Files\"");
  }
  return {};
}

void describe(const ServiceHandle& handle, const Service& service) {
  std::wstring words = to_wide(service.description);
  SERVICE_DESCRIPTIONW description{.lpDescription = words.data()};
  ::ChangeServiceConfig2W(handle.get(), SERVICE_CONFIG_DESCRIPTION, &description);
}

// A service that ends with a failure is started again; a wrong configuration, too, since the
// service manager knows but one kind of failure: then each minute, until it is right.
void restart_when_it_fails(const ServiceHandle& handle) {
  std::array<SC_ACTION, 3> actions = {SC_ACTION{SC_ACTION_RESTART, 5'000},
                                      SC_ACTION{SC_ACTION_RESTART, 15'000},
                                      SC_ACTION{SC_ACTION_RESTART, 60'000}};
  SERVICE_FAILURE_ACTIONSW restart{
      .dwResetPeriod = 3600, .cActions = actions.size(), .lpsaActions = actions.data()};
  ::ChangeServiceConfig2W(handle.get(), SERVICE_CONFIG_FAILURE_ACTIONS, &restart);
  SERVICE_FAILURE_ACTIONS_FLAG flag{.fFailureActionsOnNonCrashFailures = TRUE};
  ::ChangeServiceConfig2W(handle.get(), SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag);
}

std::string full_path(const std::string& path) {
  std::wstring full(32768, L'\0');
  const DWORD length = ::GetFullPathNameW(to_wide(path).c_str(), static_cast<DWORD>(full.size()),
                                          full.data(), nullptr);
  full.resize(length);
  return to_utf8(full);
}

}  // namespace

bool has_services() {
  return true;
}

std::string find_config(const std::string& name) {
  const std::string shared = data_folder() + "\\" + name;
  for (const std::string& path : {name, program_folder() + "\\" + name}) {
    if (file_exists(path)) return path;
  }
  return shared;
}

std::string config_places() {
  return "the working folder, " + program_folder() + " and " + data_folder();
}

std::string config_folder() {
  return data_folder();
}

Result<std::string> install_service(const Service& service, const std::string& config_path) {
  const std::string doing = "install the service " + service.name;
  const std::string config = full_path(config_path);
  const std::string program = own_path();
  if (auto ok = check_places(program, config); !ok) return fail(ok);
  const auto manager = open_manager(SC_MANAGER_CREATE_SERVICE, doing);
  if (!manager) return fail(manager);
  if (auto ok = set_access(config, Access::kPrivate); !ok) return fail(ok);

  const std::wstring command = to_command_line({program, "service", "run", "--config", config});
  // The parts of Windows that it needs start before it.
  constexpr wchar_t kDependencies[] = L"Nsi\0TcpIp\0";
  const ServiceHandle handle(::CreateServiceW(
      manager->get(), to_wide(service.name).c_str(), to_wide(service.title).c_str(),
      SERVICE_CHANGE_CONFIG | SERVICE_START, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
      SERVICE_ERROR_NORMAL, command.c_str(), nullptr, nullptr, kDependencies, nullptr, nullptr));
  if (!handle) {
    if (::GetLastError() == ERROR_SERVICE_EXISTS) {
      return fail(doing + ": it is installed; qdt-client service uninstall removes it");
    }
    return windows_error(doing);
  }
  describe(handle, service);
  restart_when_it_fails(handle);
  if (auto ok = register_event_source(service.name, program); !ok) return fail(ok);
  return "the service " + service.name + " is installed and will start with Windows\n" + config +
         " can be read by administrators and the service only";
}

Result<void> uninstall_service(const Service& service) {
  const std::string doing = "uninstall the service " + service.name;
  const auto handle = open_service(service, DELETE | SERVICE_STOP | SERVICE_QUERY_STATUS, doing);
  if (!handle) return fail(handle);
  if (auto ok = stop_service(service); !ok) return ok;
  if (::DeleteService(handle->get()) == 0) return windows_error(doing);
  forget_event_source(service.name);
  return {};
}

Result<void> start_service(const Service& service) {
  const std::string doing = "start the service " + service.name;
  const auto handle = open_service(service, SERVICE_START | SERVICE_QUERY_STATUS, doing);
  if (!handle) return fail(handle);
  if (::StartServiceW(handle->get(), 0, nullptr) == 0) {
    if (::GetLastError() == ERROR_SERVICE_ALREADY_RUNNING) return {};
    return windows_error(doing);
  }
  const auto status = wait_while(*handle, SERVICE_START_PENDING, kStartLimit);
  if (status.dwCurrentState == SERVICE_RUNNING) return {};
  if (status.dwCurrentState == SERVICE_START_PENDING) {
    return fail(doing + ": it is not up yet; qdt-client service status tells when it is");
  }
  return fail(doing + ": it has ended" + ending_of(status) +
              "; the event log (Event Viewer, Windows Logs, Application) says why");
}

Result<void> stop_service(const Service& service) {
  const std::string doing = "stop the service " + service.name;
  const auto handle = open_service(service, SERVICE_STOP | SERVICE_QUERY_STATUS, doing);
  if (!handle) return fail(handle);
  SERVICE_STATUS ignored{};
  if (::ControlService(handle->get(), SERVICE_CONTROL_STOP, &ignored) == 0) {
    const DWORD error = ::GetLastError();
    if (error == ERROR_SERVICE_NOT_ACTIVE) return {};
    // It may be stopping, or not be ready for it yet; then its state tells below.
    if (error != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) return windows_error(doing, error);
  }
  const auto status = wait_while(*handle, SERVICE_STOP_PENDING, kStopLimit);
  if (status.dwCurrentState == SERVICE_STOPPED) return {};
  return fail(doing + ": it has not ended after " + std::to_string(kStopLimit / 1s) + " s");
}

Result<ServiceState> service_state(const Service& service) {
  const std::string doing = "look for the service " + service.name;
  const auto manager = open_manager(SC_MANAGER_CONNECT, doing);
  if (!manager) return fail(manager);
  const ServiceHandle handle(
      ::OpenServiceW(manager->get(), to_wide(service.name).c_str(), SERVICE_QUERY_STATUS));
  if (!handle) {
    if (::GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST) return ServiceState::kNotInstalled;
    return windows_error(doing);
  }
  switch (status_of(handle).dwCurrentState) {
    case SERVICE_RUNNING: return ServiceState::kRunning;
    case SERVICE_START_PENDING: return ServiceState::kStarting;
    case SERVICE_STOP_PENDING: return ServiceState::kStopping;
    default: return ServiceState::kStopped;
  }
}

namespace {

// The handler of the service manager's thread: it is called without a context.
struct ServiceWork {
  const Service* service = nullptr;
  std::function<int()> work;
  int exit_status = 1;
};
ServiceWork* the_work = nullptr;

void WINAPI service_main(DWORD /*count*/, wchar_t** /*arguments*/) {
  if (!enter_service(to_wide(the_work->service->name).c_str())) return;
  {
    const auto log = EventLog::open(the_work->service->name);
    the_work->exit_status = the_work->work();
  }
  report_stopped(the_work->exit_status);
}

}  // namespace

Result<int> run_service(const Service& service, std::function<int()> work) {
  ServiceWork todo{.service = &service, .work = std::move(work)};
  the_work = &todo;
  std::wstring name = to_wide(service.name);
  const std::array<SERVICE_TABLE_ENTRYW, 2> table = {
      SERVICE_TABLE_ENTRYW{name.data(), service_main}, SERVICE_TABLE_ENTRYW{nullptr, nullptr}};
  if (::StartServiceCtrlDispatcherW(table.data()) != 0) return todo.exit_status;
  if (::GetLastError() == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
    return fail("service run: that is for Windows to do; use qdt-client service start");
  }
  return windows_error("connect to the service manager");
}

}  // namespace qdt::os
