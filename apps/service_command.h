#pragma once

#include <array>
#include <functional>
#include <string>

#include "os/service.h"

namespace qdt::apps {

/// The commands of `PROGRAM service ...`.
enum class ServiceCommand { kInstall, kUninstall, kStart, kStop, kStatus, kRun };

struct ServiceCommandName {
  ServiceCommand command;
  const char* name;
  const char* words;
};
inline constexpr std::array<ServiceCommandName, 6> kServiceCommands = {{
    {ServiceCommand::kInstall, "install",
     "have Windows start it, with the configuration of --config"},
    {ServiceCommand::kUninstall, "uninstall", "stop it and remove it"},
    {ServiceCommand::kStart, "start", "start it now, and wait until it is up"},
    {ServiceCommand::kStop, "stop", "stop it now"},
    {ServiceCommand::kStatus, "status",
     "print its state; exit with 0 when it runs, 3 when not, 4 when there is none"},
    {ServiceCommand::kRun, "run", "what Windows calls"},
}};

/// Does it, and returns the exit code. `work` is what the service runs.
int control_service(ServiceCommand command, const os::Service& service,
                    const std::string& config_path, const std::function<int()>& work);

}  // namespace qdt::apps
