#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace qdt::os {

/// A program as a service of Windows. On Linux systemd does that with a unit file: has_services()
/// is false, and everything else here fails and names systemctl.
struct Service {
  std::string name;         ///< as `sc query` wants it
  std::string title;        ///< as the list of services shows it
  std::string description;  ///< a sentence
};

bool has_services();

/// Where the service finds its configuration when nobody says otherwise, and what a program without
/// `--config` looks for in turn: `name` in the working folder, beside the program, and in the
/// folder for all users' data. On Linux:
/// in the working folder and in /etc/qdt, else `name`.
std::string find_config(const std::string& name);
/// The same places, for a person.
std::string config_places();
/// The last of them: for configurations of the whole host.
std::string config_folder();

/// Registers this program to be started with the system as `service run --config CONFIG`, and again
/// when it fails; the configuration, which holds the token, is from now on only for the system and
/// administrators to read. Refused where others could put another program, or configuration, in its
/// place. Returns what was done, a line each.
Result<std::string> install_service(const Service& service, const std::string& config_path);
/// Stops it first where it runs.
Result<void> uninstall_service(const Service& service);
/// Waits until it is up, or has ended: then the error is its exit status.
Result<void> start_service(const Service& service);
/// Waits until it has ended. Done as well when it does not run.
Result<void> stop_service(const Service& service);

enum class ServiceState { kNotInstalled, kStopped, kStarting, kRunning, kStopping };
Result<ServiceState> service_state(const Service& service);
inline std::string_view name_of(ServiceState state) {
  switch (state) {
    case ServiceState::kNotInstalled: return "not installed";
    case ServiceState::kStopped: return "stopped";
    case ServiceState::kStarting: return "starting";
    case ServiceState::kRunning: return "running";
    case ServiceState::kStopping: return "stopping";
  }
  return "";
}

/// Called in a process that the service manager has started: does `work` as the service and returns
/// its exit status. What it writes to standard error goes to the event log. Fails at once in any
/// other process.
Result<int> run_service(const Service& service, std::function<int()> work);

}  // namespace qdt::os
