#include "control_sockets.h"

#include <utility>

namespace qdt::apps {

std::expected<std::vector<os::FoundSocket>, int> find_sockets(const std::string& program,
                                                              os::HostPlan::Role role,
                                                              const ControlCommand& command) {
  constexpr int kNoneRuns = 4;
  auto sockets = os::find_control_sockets(role);
  if (!command.tun_name.empty()) {
    std::erase_if(sockets, [&](const auto& one) { return one.tun_name != command.tun_name; });
  }
  if (sockets.empty()) {
    print_error(program, "no " + program + " runs on this host" +
                             (command.tun_name.empty() ? "" : " with " + command.tun_name));
    return std::unexpected(kNoneRuns);
  }
  if (sockets.size() == 1 || command.verb == ControlCommand::Verb::kStatus) return sockets;
  std::string names;
  for (const auto& one : sockets) names += (names.empty() ? "" : ", ") + one.tun_name;
  const bool is_server = role == os::HostPlan::Role::kServer;
  print_error(program, std::string("several ") + (is_server ? "servers" : "clients") +
                           " run here (" + names + "): --tun names one");
  return std::unexpected(1);
}

}  // namespace qdt::apps
