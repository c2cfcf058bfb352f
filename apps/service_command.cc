#include "service_command.h"

#include <iostream>

#include "command_line.h"

namespace qdt::apps {
namespace {

constexpr const char* kName = "qdt-client";

int fail_with(const Error& error) {
  print_error(kName, error.message);
  return 1;
}

int report(const Result<void>& done, const std::string& words) {
  if (!done) return fail_with(done.error());
  std::cout << words << '\n';
  return 0;
}

int print_state(const os::Service& service) {
  const auto state = os::service_state(service);
  if (!state) return fail_with(state.error());
  std::cout << service.name << ": " << os::name_of(*state) << '\n';
  if (*state == os::ServiceState::kNotInstalled) return 4;
  return *state == os::ServiceState::kRunning ? 0 : 3;
}

}  // namespace

int control_service(ServiceCommand command, const os::Service& service,
                    const std::string& config_path, const std::function<int()>& work) {
  switch (command) {
    case ServiceCommand::kInstall: {
      const auto done = os::install_service(service, config_path);
      if (!done) return fail_with(done.error());
      std::cout << *done << '\n';
      return 0;
    }
    case ServiceCommand::kUninstall:
      return report(os::uninstall_service(service), "uninstalled " + service.name);
    case ServiceCommand::kStart: return report(os::start_service(service), service.name + " is up");
    case ServiceCommand::kStop: return report(os::stop_service(service), service.name + " stopped");
    case ServiceCommand::kStatus: return print_state(service);
    case ServiceCommand::kRun: {
      const auto status = os::run_service(service, work);
      return status ? *status : fail_with(status.error());
    }
  }
  return 1;
}

}  // namespace qdt::apps
