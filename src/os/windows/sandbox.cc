#include "os/sandbox.h"

namespace qdt::os {

// What runs as a service of Windows has the account that the service was installed with.

Result<ProcessUser> find_process_user(const std::string& /*name*/) {
  return ProcessUser{};
}

void hide_memory() {}

Result<void> enter_sandbox(const SandboxOptions& /*options*/, Logger& /*logger*/) {
  return {};
}

void confine_packet_thread() {}

}  // namespace qdt::os
