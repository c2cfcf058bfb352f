#include "os/sandbox.h"

namespace qdt::os {

// A service of Windows runs with the account that it was installed with.

Result<ProcessUser> find_process_user(const std::string& /*name*/) {
  return ProcessUser{};
}

void hide_memory() {}

void settle_memory() {}

Result<void> enter_sandbox(const SandboxOptions& /*options*/, Logger& /*logger*/) {
  return {};
}

void confine_packet_thread() {}

}  // namespace qdt::os
