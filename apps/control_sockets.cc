#include "control_sockets.h"

#include <iostream>
#include <thread>
#include <utility>

#include "base/time.h"
#include "base/words.h"
#include "os/process.h"

namespace qdt::apps {

std::expected<std::vector<os::FoundSocket>, int> find_sockets(const std::string& program,
                                                              os::HostPlan::Role role,
                                                              const ControlCommand& command) {
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
  std::vector<std::string> names;
  for (const auto& one : sockets) names.push_back(one.tun_name);
  const bool is_server = role == os::HostPlan::Role::kServer;
  print_error(program, std::string("several ") + (is_server ? "servers" : "clients") +
                           " run here (" + list_in_words(names) + "): --tun names one");
  return std::unexpected(1);
}

int watch(bool as_json, const std::function<int()>& print) {
  bool was_there = false;
  for (;;) {
    if (!as_json && os::is_standard_output_a_terminal()) std::cout << "\x1b[H\x1b[2J";
    const int code = print();
    const bool is_there = code != 1 && code != kNoneRuns;
    was_there = was_there || is_there;
    if (code == 1 || !was_there) return code;
    std::this_thread::sleep_for(1s);
  }
}

}  // namespace qdt::apps
