#include "client_control.h"

#include <algorithm>
#include <iostream>

#include "client/status.h"
#include "os/clock.h"
#include "os/status_file.h"

namespace qdt::apps {

// Its status is in a file (os::HostControl::show_status).
std::unique_ptr<ClientControl> open_client_control(os::HostControl&, client::Client&,
                                                   const std::string&, Logger&) {
  return nullptr;
}

std::string client_state(const std::string& tun_name) {
  for (const os::FoundStatus& file : os::find_status_files(tun_name)) {
    if (!file.is_alive) continue;
    const auto status = client::parse_status(file.content);
    return status ? std::string(client::name_of(status->state)) : "does not answer";
  }
  return std::string(kNotRunning);
}

// There is no other command than `status` here.
int control_client(const std::string& program, const ControlCommand& command) {
  const auto found = os::find_status_files(command.tun_name);
  int worst = found.empty() ? 4 : 0;
  if (found.empty()) print_error(program, "no qdt-client runs on this host");
  for (const os::FoundStatus& file : found) {
    if (!file.is_alive) {
      print_error(program, file.tun_name +
                               ": the client has crashed; start it again, or put "
                               "the host back with qdt-client --cleanup");
      worst = std::max(worst, 4);
      continue;
    }
    const auto status = client::parse_status(file.content);
    if (!status) {
      print_error(program, file.tun_name + ": " + status.error().message);
      worst = std::max(worst, 1);
      continue;
    }
    const auto print = command.as_json ? client::to_json : client::describe;
    std::cout << print(*status, file.tun_name, os::now());
    worst = std::max(worst, status_code(status->state));
  }
  return worst;
}

}  // namespace qdt::apps
