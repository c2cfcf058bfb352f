#include "os/control_socket.h"

namespace qdt::os {

// A client tells its status by a file here (os/status_file.h).

Result<ControlSocket> ControlSocket::open(const std::string&, HostPlan::Role) {
  return fail("there are no control sockets on Windows");
}

ControlSocket::~ControlSocket() = default;

bool has_control_sockets() {
  return false;
}

std::vector<FoundSocket> find_control_sockets(HostPlan::Role) {
  return {};
}

}  // namespace qdt::os
